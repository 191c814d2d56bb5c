package paho

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
)

// conn is a bridge.Conn: a paho client for one connection, behind a guard.
type conn struct {
	dial           bridge.Dial
	guard          *guard
	ids            *ids
	client         mqtt.Client
	sessionPresent bool
}

var _ bridge.Conn = (*conn)(nil)

func newConn(raw net.Conn, d bridge.Dial, modulus uint64) *conn {
	c := &conn{dial: d, ids: newIDs(modulus)}
	c.guard = newGuard(raw, c.ids, d)
	return c
}

// SessionPresent is part of bridge.Conn.
func (c *conn) SessionPresent() bool { return c.sessionPresent }

// Span is part of bridge.Conn.
func (c *conn) Span() uint64 { return c.ids.modulus / 2 }

// Publish is part of bridge.Conn.
func (c *conn) Publish(seq uint64, m edged.Message, dup bool) error {
	if m.QoS == edged.AtMostOnce {
		return c.publish(m, promotion{})
	}
	want := awaitPuback
	if m.QoS == edged.ExactlyOnce {
		want = awaitPubrec
	}
	id, err := c.ids.begin(seq, want)
	if err != nil {
		return err
	}
	return c.publish(m, promotion{id: id, qos: byte(m.QoS), dup: dup})
}

// publish gives a message to paho at QoS 0, having told the guard what to make of it.
func (c *conn) publish(m edged.Message, p promotion) error {
	if err := c.guard.room(); err != nil {
		return err
	}
	c.guard.pubMu.Lock()
	defer c.guard.pubMu.Unlock()
	c.guard.promote(p)
	token := c.client.Publish(m.Topic, 0, m.Retain, m.Payload)
	select {
	case <-token.Done():
		if err := token.Error(); err != nil { // what was to be promoted did not go out: nothing fits any more
			c.guard.fail(err)
			return c.guard.cause()
		}
	default:
	}
	return nil
}

// Release is part of bridge.Conn.
func (c *conn) Release(seq uint64, resumed bool) error {
	step := c.ids.release
	if resumed {
		step = func(seq uint64) (uint16, error) { return c.ids.begin(seq, awaitPubcomp) }
	}
	id, err := step(seq)
	if err != nil {
		return err
	}
	if err := c.guard.room(); err != nil {
		return err
	}
	return c.guard.queue([]byte{pubrel<<4 | 2, 2, byte(id >> 8), byte(id)})
}

// Announce is part of bridge.Conn.
func (c *conn) Announce(ctx context.Context, m edged.Message) error {
	id, done, err := c.ids.call()
	if err != nil {
		return err
	}
	if err := c.publish(m, promotion{id: id, qos: byte(edged.AtLeastOnce)}); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-c.guard.done:
		return c.guard.cause()
	case <-ctx.Done():
		return fmt.Errorf("no PUBACK for %s: %w", m.Topic, ctx.Err())
	}
}

// Subscribe is part of bridge.Conn.
func (c *conn) Subscribe(ctx context.Context, subs []edged.Subscription) error {
	filters := map[string]byte{}
	for _, s := range subs {
		filters[s.Filter] = byte(s.QoS)
	}
	token := c.client.SubscribeMultiple(filters, nil)
	select {
	case <-token.Done():
	case <-c.guard.done:
		return c.guard.cause()
	case <-ctx.Done():
		return fmt.Errorf("no SUBACK: %w", ctx.Err())
	}
	if err := token.Error(); err != nil {
		return err
	}
	var refused []error
	if granted, ok := token.(*mqtt.SubscribeToken); ok {
		for filter, code := range granted.Result() {
			if code == 0x80 {
				refused = append(refused, fmt.Errorf("the server refused the subscription to %q", filter))
			}
		}
	}
	return errors.Join(refused...)
}

// Disconnect is part of bridge.Conn.
func (c *conn) Disconnect(ctx context.Context) {
	quiesce := time.Second
	if deadline, ok := ctx.Deadline(); ok {
		quiesce = max(time.Until(deadline), 0)
	}
	c.guard.finish(time.Now().Add(quiesce))
	c.client.Disconnect(uint(quiesce.Milliseconds()))
	c.Close()
}

// closeTimeout bounds how long paho's goroutines are waited for.
const closeTimeout = time.Second

// Close is part of bridge.Conn.
func (c *conn) Close() {
	c.guard.fail(edged.ErrClosed)
	if c.client != nil {
		c.client.Disconnect(uint(closeTimeout.Milliseconds()))
	}
	c.guard.wait()
}

// Done is part of bridge.Conn.
func (c *conn) Done() <-chan struct{} { return c.guard.done }

// Err is part of bridge.Conn.
func (c *conn) Err() error { return c.guard.cause() }
