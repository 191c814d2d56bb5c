package client

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/edged/edged/codec/mqtt"
)

// request is what the server owes an answer to. It stays known until the answer comes, even when its caller has given up:
// the packet identifier must not be used for anything else before.
type request struct {
	want   mqtt.Type // the packet that completes it
	codes  int       // how many reason codes that must have
	result chan result
}

type result struct {
	packet mqtt.Type
	codes  []mqtt.ReasonCode
	reason string
}

// Publish sends p and waits for the server: with QoS 0 until the system has taken the bytes, with QoS 1 for PUBACK, with
// QoS 2 for PUBCOMP. PacketID and Dup are the client's affair. A refusal is a *CodeError with the code beside it. When ctx
// ends before the answer comes, the message may or may not have arrived.
func (c *Client) Publish(ctx context.Context, p mqtt.Publish) (mqtt.ReasonCode, error) {
	p.Dup, p.PacketID = false, 0
	if p.QoS == 0 {
		return mqtt.Success, publishErr(p.Topic, c.send(ctx, &p))
	}
	select {
	case c.quota <- struct{}{}: // answer gives it back
	case <-c.stop:
		return 0, publishErr(p.Topic, c.closedErr())
	case <-ctx.Done():
		return 0, publishErr(p.Topic, c.late(ctx, "the server's receive maximum is used up"))
	}
	want := mqtt.PUBACK
	if p.QoS == 2 {
		want = mqtt.PUBREC
	}
	r, err := c.ask(ctx, want, 1, func(id uint16) mqtt.Packet {
		p.PacketID = id
		return &p
	})
	if err != nil {
		return 0, publishErr(p.Topic, err)
	}
	return r.codes[0], r.failures([]string{p.Topic})
}

// Subscribe subscribes, and returns a code for each filter. Those that the server refuses are *CodeErrors, joined.
func (c *Client) Subscribe(ctx context.Context, filters ...mqtt.Filter) ([]mqtt.ReasonCode, error) {
	return c.SubscribeWith(ctx, nil, filters...)
}

// SubscribeWith is Subscribe with version 5 properties: a subscription identifier, user properties.
func (c *Client) SubscribeWith(ctx context.Context, p *mqtt.Properties, filters ...mqtt.Filter) ([]mqtt.ReasonCode, error) {
	names := make([]string, len(filters))
	for i, f := range filters {
		names[i] = f.Filter
	}
	r, err := c.ask(ctx, mqtt.SUBACK, len(filters), func(id uint16) mqtt.Packet {
		return &mqtt.Subscribe{PacketID: id, Filters: filters, Properties: p}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %q: %w", names, err)
	}
	return r.codes, r.failures(names)
}

// Unsubscribe ends subscriptions. 3.x servers answer without codes, which are mqtt.Success then.
func (c *Client) Unsubscribe(ctx context.Context, filters ...string) ([]mqtt.ReasonCode, error) {
	r, err := c.ask(ctx, mqtt.UNSUBACK, len(filters), func(id uint16) mqtt.Packet {
		return &mqtt.Unsubscribe{PacketID: id, Filters: filters}
	})
	if err != nil {
		return nil, fmt.Errorf("unsubscribe from %q: %w", filters, err)
	}
	return r.codes, r.failures(filters)
}

// ask sends a packet with an identifier of its own and waits for the one that completes it.
func (c *Client) ask(ctx context.Context, want mqtt.Type, codes int, packet func(id uint16) mqtt.Packet) (result, error) {
	r := &request{want: want, codes: codes, result: make(chan result, 1)}
	id, err := c.register(r)
	if err == nil {
		err = c.send(ctx, packet(id))
	}
	if err != nil { // nothing was sent, or a part of the packet, and then the connection is closed
		if c.forget(id, r) {
			c.release(want)
		}
		return result{}, err
	}
	select {
	case res := <-r.result:
		return res, nil
	case <-ctx.Done():
		return result{}, c.late(ctx, "the server has not answered")
	case <-c.stop:
		select {
		case res := <-r.result:
			return res, nil
		default:
			return result{}, c.closedErr()
		}
	}
}

// register finds an identifier for r.
func (c *Client) register(r *request) (uint16, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 65535 {
		return 0, errors.New("all 65,535 packet identifiers wait for an answer of the server")
	}
	for {
		c.lastID++
		if _, used := c.waiting[c.lastID]; c.lastID != 0 && !used {
			c.waiting[c.lastID] = r
			return c.lastID, nil
		}
	}
}

// forget says false when r was answered before it could be asked.
func (c *Client) forget(id uint16, r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == 0 { // register found none
		return true
	}
	if c.waiting[id] != r {
		return false
	}
	delete(c.waiting, id)
	return true
}

// advance notes that a QoS 2 message has arrived: what completes it now is PUBCOMP.
func (c *Client) advance(id uint16) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.waiting[id]
	if r == nil || r.want != mqtt.PUBREC {
		return false
	}
	r.want = mqtt.PUBCOMP
	return true
}

// answer completes the request that p answers.
func (c *Client) answer(p mqtt.Packet, id uint16, props *mqtt.Properties, codes ...mqtt.ReasonCode) error {
	c.mu.Lock()
	r := c.waiting[id]
	if r == nil || r.want != p.Type() {
		c.mu.Unlock()
		return unexpected(p, id)
	}
	delete(c.waiting, id)
	c.mu.Unlock()
	if p.Type() == mqtt.UNSUBACK && c.conn.version != mqtt.V5 {
		codes = make([]mqtt.ReasonCode, r.codes)
	}
	if len(codes) != r.codes {
		return &mqtt.Error{Code: mqtt.ProtocolError, Problem: fmt.Sprintf("%v with %d codes, want %d", p.Type(), len(codes), r.codes)}
	}
	c.release(r.want)
	r.result <- result{packet: p.Type(), codes: codes, reason: reason(props)}
	return nil
}

// release gives back what a PUBLISH took of the server's receive maximum.
func (c *Client) release(want mqtt.Type) {
	switch want {
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP:
		<-c.quota
	}
}

// send sends p, unless the server has said that it is too long for it.
func (c *Client) send(ctx context.Context, p mqtt.Packet) error {
	b, err := p.Append(nil, c.conn.version)
	if err != nil {
		return err
	}
	if len(b) > c.maxSend {
		return fmt.Errorf("%v of %d bytes; the server takes at most %d", p.Type(), len(b), c.maxSend)
	}
	select {
	case <-c.stop:
		return c.closedErr()
	default:
	}
	err = c.conn.write(ctx, b, false)
	if errors.Is(err, net.ErrClosed) { // in the meantime: why counts
		return c.closedErr()
	}
	return err
}

// late explains why ctx has ended before something came.
func (c *Client) late(ctx context.Context, why string) error {
	if c.handing.Load() {
		why = "nobody reads the client's Messages, behind which the answer may wait"
	}
	return fmt.Errorf("%s: %w", why, context.Cause(ctx))
}

func publishErr(topic string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("publish to %q: %w", topic, err)
}

// failures makes errors of the codes that are refusals.
func (r result) failures(subjects []string) error {
	var errs []error
	for i, code := range r.codes {
		if code.Failed() {
			errs = append(errs, &CodeError{Packet: r.packet, Code: code, Reason: r.reason, Subject: subjects[i]})
		}
	}
	return errors.Join(errs...)
}

func unexpected(p mqtt.Packet, id uint16) error {
	return &mqtt.Error{Code: mqtt.ProtocolError, Problem: fmt.Sprintf("%v for packet %d, which does not wait for it", p.Type(), id)}
}
