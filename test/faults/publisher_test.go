package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
)

// publisher sends numbers, as far as it is allowed to, and notes which of them were acknowledged. What was not is sent again on the
// next connection, with its packet identifier (MQTT-4.4.0-1).
type publisher struct {
	who
	name   string // the end of its topic
	qos    byte
	window int
	size   int    // of a payload, in bytes at least
	stop   func() // ends it for good

	mu       sync.Mutex
	allowed  int // numbers below it may be sent
	next     int
	flights  []*flight    // not complete yet, in order
	acked    []bool       // by number
	count    int          // of acked
	refused  int          // acknowledgements that said no, which version 5 has
	conn     *client.Conn // the latest one
	conns    int
	problems []string
	wake     chan struct{}
}

// flight is a message under way.
type flight struct {
	n        int
	sent     bool
	received bool // PUBREC has come: from now on there is only PUBREL
}

func (f *flight) id() uint16 { return uint16(1 + f.n%65_000) }

// publish runs a publisher until the test ends. It may send nothing yet.
func publish(t *testing.T, port int, name string, qos byte, v mqtt.Version, change ...func(*publisher)) *publisher {
	t.Helper()
	p := &publisher{
		who: who{port, fmt.Sprintf("publisher-%d-%s", qos, name), v}, name: fmt.Sprintf("q%d/%s", qos, name), qos: qos, window: window, size: 100, wake: make(chan struct{}, 1),
	}
	for _, f := range change {
		f(p)
	}
	p.stop = run(t, func(ctx context.Context) { persist(ctx, p.session) })
	t.Cleanup(func() {
		p.stop()
		for _, problem := range p.problems {
			t.Errorf("publisher %s: %s", p.name, problem)
		}
	})
	return p
}

// allow lets the publisher send n messages more.
func (p *publisher) allow(n int) {
	p.mu.Lock()
	p.allowed += n
	p.mu.Unlock()
	p.poke()
}

// permitted is how many messages it may send in all.
func (p *publisher) permitted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.allowed
}

func (p *publisher) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// promised says for each number whether it was acknowledged.
func (p *publisher) promised() []bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.acked)
}

func (p *publisher) acknowledged() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// reconnect cuts the publisher's connection and waits until it has the next one.
func (p *publisher) reconnect(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	before := p.conns
	p.conn.Close()
	p.mu.Unlock()
	eventually(t, long, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.conns > before
	}, func() string { return p.name + " connects again" })
}

func (p *publisher) refusals() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// idle says whether everything allowed has been sent, and every exchange is complete.
func (p *publisher) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next == p.allowed && len(p.flights) == 0
}

func (p *publisher) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%s: %d allowed, %d sent, %d acknowledged, %d refused, %d under way", p.name, p.allowed, p.next, p.count, p.refused, len(p.flights))
}

func (p *publisher) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// session is one connection.
func (p *publisher) session(ctx context.Context) error {
	conn, present, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	p.mu.Lock()
	if p.count > 0 && !present {
		p.problem("the server has forgotten the session after %d messages", p.count)
	}
	again := slices.Clone(p.flights)
	p.conn = conn
	p.conns++
	p.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	sending.Go(func() { p.send(ctx, conn, again) })
	defer sending.Wait()
	defer cancel()
	defer conn.Close()
	for {
		packet, err := conn.Receive(ctx)
		if err != nil {
			return err
		}
		answer, err := p.take(packet)
		if err != nil {
			return err
		}
		if answer != nil {
			if err := conn.Send(answer); err != nil {
				return err
			}
		}
		p.poke()
	}
}

// send sends what is under way already, and then new numbers.
func (p *publisher) send(ctx context.Context, conn *client.Conn, again []*flight) {
	for _, f := range again {
		if conn.Send(p.packet(f)) != nil {
			return
		}
	}
	for {
		p.mu.Lock()
		var f *flight
		if p.next < p.allowed && len(p.flights) < p.window {
			f = &flight{n: p.next}
			p.next++
			p.acked = append(p.acked, false)
			p.flights = append(p.flights, f)
		}
		p.mu.Unlock()
		if f != nil {
			if conn.Send(p.packet(f)) != nil {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
	}
}

func (p *publisher) packet(f *flight) mqtt.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.received {
		return &mqtt.Pubrel{PacketID: f.id()}
	}
	payload := fmt.Sprintf("%d %s", f.n, strings.Repeat("x", p.size))
	dup := f.sent
	f.sent = true
	return &mqtt.Publish{Topic: "f/" + p.name, QoS: p.qos, PacketID: f.id(), Dup: dup, Payload: []byte(payload)}
}

// take takes an acknowledgement and returns what is to be said to it.
func (p *publisher) take(packet mqtt.Packet) (answer mqtt.Packet, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch a := packet.(type) {
	case *mqtt.Puback:
		return nil, p.promise(a.PacketID, a.Code, 1)
	case *mqtt.Pubrec:
		if err := p.promise(a.PacketID, a.Code, 2); err != nil {
			return nil, err
		}
		return &mqtt.Pubrel{PacketID: a.PacketID}, nil
	case *mqtt.Pubcomp:
		i := slices.IndexFunc(p.flights, func(f *flight) bool { return f.id() == a.PacketID && f.received })
		if i < 0 {
			p.problem("PUBCOMP for %d, which is not under way", a.PacketID)
			return nil, nil
		}
		p.flights = slices.Delete(p.flights, i, i+1)
		return nil, nil
	}
	return nil, fmt.Errorf("the server sent %+v", packet)
}

// promise notes PUBACK or PUBREC, which come in the order of the PUBLISH packets (MQTT-4.6.0-2, MQTT-4.6.0-3). A refused message is sent
// again on the next connection.
func (p *publisher) promise(id uint16, code mqtt.ReasonCode, qos byte) error {
	i := slices.IndexFunc(p.flights, func(f *flight) bool { return !f.received })
	if i < 0 || p.flights[i].id() != id || p.qos != qos {
		p.problem("acknowledgement of %d, which is not the oldest that waits for one", id)
		return fmt.Errorf("acknowledgement out of order")
	}
	f := p.flights[i]
	if code.Failed() {
		p.refused++
		f.sent = false // it will be a new message
		return fmt.Errorf("message %d was refused: %v", f.n, code)
	}
	p.acked[f.n] = true
	p.count++
	if f.received = true; qos == 1 {
		p.flights = slices.Delete(p.flights, i, i+1)
	}
	return nil
}
