package faults

import (
	"context"
	"fmt"
	"testing"

	"github.com/edged/edged/codec/mqtt"
)

// reader is a subscriber with a persistent session. It takes each QoS 2 message once (MQTT-4.3.3-9 and -10: at PUBLISH, and by its
// packet identifier until PUBREL).
type reader struct {
	who
	*tally
	filters    []string
	subscribed bool
	received   map[uint16]bool
	ready      chan struct{}
}

// read runs a reader until the test ends; it is subscribed when read returns.
func read(t *testing.T, port int, v mqtt.Version, filters ...string) *reader {
	t.Helper()
	r := &reader{who: who{port, "reader", v}, tally: newTally(), filters: filters, received: make(map[uint16]bool), ready: make(chan struct{})}
	run(t, func(ctx context.Context) { persist(ctx, r.session) })
	<-r.ready
	return r
}

func (r *reader) session(ctx context.Context) error {
	conn, present, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	switch {
	case r.subscribed && !present:
		r.mu.Lock()
		r.strange = append(r.strange, fmt.Sprintf("the end of its session after %d messages", r.total))
		r.mu.Unlock()
		r.subscribed = false
		clear(r.received)
		fallthrough
	case !r.subscribed:
		s := &mqtt.Subscribe{PacketID: 1}
		for _, f := range r.filters {
			s.Filters = append(s.Filters, mqtt.Filter{Filter: f, QoS: 2})
		}
		if err := conn.Send(s); err != nil {
			return err
		}
	}
	for {
		packet, err := conn.Receive(ctx)
		if err != nil {
			return err
		}
		if answer := r.take(packet); answer != nil {
			if err := conn.Send(answer); err != nil {
				return err
			}
		}
	}
}

// take notes a message and returns its acknowledgement.
func (r *reader) take(packet mqtt.Packet) (answer mqtt.Packet) {
	switch p := packet.(type) {
	case *mqtt.Suback:
		r.subscribed = true
		select {
		case <-r.ready:
		default:
			close(r.ready)
		}
	case *mqtt.Publish:
		if p.QoS < 2 || !r.received[p.PacketID] {
			r.add(p.Topic, p.QoS, p.Payload)
		}
		switch p.QoS {
		case 1:
			return &mqtt.Puback{PacketID: p.PacketID}
		case 2:
			r.received[p.PacketID] = true
			return &mqtt.Pubrec{PacketID: p.PacketID}
		}
	case *mqtt.Pubrel:
		delete(r.received, p.PacketID)
		return &mqtt.Pubcomp{PacketID: p.PacketID}
	}
	return nil
}
