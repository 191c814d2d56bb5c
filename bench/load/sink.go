package load

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/edged/edged/bench/wire"
)

// Reception says what a Sink expects.
type Reception struct {
	// QoS at which it subscribed: what SUBACK must grant.
	QoS byte
	// Publishers get credit for what arrives, by their number; nil: nobody.
	Publishers []*Publisher
	// Flows is how many publishers there are.
	Flows int
	// Unordered accepts any order, and counts what was overtaken; each message may still come once only.
	Unordered bool
	// Latency records how long each message was under way.
	Latency bool
}

// Sink is a subscriber that checks and counts what arrives.
type Sink struct {
	Reception
	c                *Client
	count, overtaken atomic.Uint64
	// last is the highest number that came from each publisher.
	last []uint64
	seen map[[2]uint64]struct{}
	// samples are latencies in nanoseconds; they may be read when the load is closed.
	samples []int64
}

// Sink lets c, which has subscribed, receive. Without subscriptions give filters: then retained messages may come first.
func (l *Load) Sink(c *Client, r Reception, filters ...string) (*Sink, error) {
	s := &Sink{Reception: r, c: c, last: make([]uint64, r.Flows), seen: map[[2]uint64]struct{}{}}
	if len(filters) > 0 {
		if err := c.subscribe(r.QoS, filters); err != nil {
			return nil, err
		}
	}
	l.run(s.receive)
	return s, nil
}

// Count is how many messages have arrived.
func (s *Sink) Count() uint64 { return s.count.Load() }

// Overtaken is how many messages came after a later one of their publisher's.
func (s *Sink) Overtaken() uint64 { return s.overtaken.Load() }

// Samples returns the latencies, in nanoseconds and in order of arrival. Call it after Load.Close.
func (s *Sink) Samples() []int64 { return s.samples }

func (s *Sink) receive() error {
	for {
		pkt, err := s.c.next()
		if err != nil {
			return fmt.Errorf("subscriber: %w", err)
		}
		switch pkt.Type {
		case wire.PUBLISH:
			err = s.take(pkt)
		case wire.PUBREL:
			s.c.out = wire.AppendAck(s.c.out, wire.PUBCOMP, pkt.ID())
		case wire.SUBACK:
			err = granted(pkt, s.QoS)
		default:
			err = fmt.Errorf("unexpected packet type %d", pkt.Type)
		}
		if err == nil && !s.c.buffered() {
			err = s.c.flush()
		}
		if err != nil {
			return fmt.Errorf("subscriber: %w", err)
		}
	}
}

func (s *Sink) take(pkt wire.Packet) error {
	m, err := pkt.Publish()
	if err != nil {
		return err
	}
	switch m.QoS {
	case 1:
		s.c.out = wire.AppendAck(s.c.out, wire.PUBACK, m.ID)
	case 2:
		s.c.out = wire.AppendAck(s.c.out, wire.PUBREC, m.ID)
	}
	if len(m.Payload) < stamp {
		return fmt.Errorf("a payload of %d bytes, which nobody sent", len(m.Payload))
	}
	flow, seq := binary.BigEndian.Uint32(m.Payload), binary.BigEndian.Uint64(m.Payload[4:])
	if int(flow) >= s.Flows {
		return fmt.Errorf("a message of publisher %d, of whom there are %d", flow, s.Flows)
	}
	if s.Unordered {
		key := [2]uint64{uint64(flow), seq}
		if _, twice := s.seen[key]; twice {
			return fmt.Errorf("message %d of publisher %d came twice", seq, flow)
		}
		s.seen[key] = struct{}{}
		if seq < s.last[flow] {
			s.overtaken.Add(1)
		}
	} else if seq <= s.last[flow] {
		// Strictly ascending, and as many as were sent: so none is lost, repeated or overtaken.
		return fmt.Errorf("message %d of publisher %d came after %d", seq, flow, s.last[flow])
	}
	s.last[flow] = max(s.last[flow], seq)
	if s.Latency {
		s.samples = append(s.samples, s.c.readAt-int64(binary.BigEndian.Uint64(m.Payload[12:])))
	}
	s.count.Add(1)
	if s.Publishers != nil {
		s.Publishers[flow].credit()
	}
	return nil
}
