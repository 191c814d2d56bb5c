package load

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/edged/edged/bench/wire"
)

// stamp is how many bytes of a payload the generator needs.
const stamp = 20

// Publication says what a Publisher sends.
type Publication struct {
	// Number is the publisher's place in the slice given to sinks, and goes into each payload.
	Number int
	// Topic names the topic of message seq, which counts from 1.
	Topic  func(seq uint64) string
	QoS    byte
	Retain bool
	// Size is the payload's length in bytes, at least 20.
	Size int
	// Window is how many messages may be on their way at once, at most 1000.
	Window int
	// Deliveries is how many subscribers get each message; 0: they are not waited for.
	Deliveries int
}

// Publisher sends one client's messages.
type Publisher struct {
	Publication
	load    *Load
	c       *Client
	payload []byte

	sent, acked, delivered atomic.Uint64
	// wake tells the sender that the window may have opened.
	wake chan struct{}
}

// Publisher connects a publisher; it sends nothing yet.
func (l *Load) Publisher(id string, p Publication) (*Publisher, error) {
	c, err := l.Connect(id, false)
	if err != nil {
		return nil, err
	}
	pub := &Publisher{Publication: p, load: l, c: c, payload: make([]byte, max(p.Size, stamp)), wake: make(chan struct{}, 1)}
	binary.BigEndian.PutUint32(pub.payload, uint32(p.Number))
	l.run(pub.readAcks)
	return pub, nil
}

// Delivered counts the deliveries that sinks have credited.
func (p *Publisher) Delivered() uint64 { return p.delivered.Load() }

// Run sends until stop is closed, or until limit messages were sent when that is not 0; then it waits until all are
// acknowledged and delivered. The window bounds what is on its way.
func (p *Publisher) Run(stop <-chan struct{}, limit uint64) error {
	stuck := time.NewTicker(p.load.patience)
	defer stuck.Stop()
	for {
		select {
		case <-stop:
			return p.Drain()
		default:
		}
		n := p.room()
		if limit > 0 {
			left := limit - p.sent.Load()
			if left == 0 {
				return p.Drain()
			}
			n = min(n, int(left))
		}
		if n > 0 {
			if err := p.send(n); err != nil {
				return err
			}
			continue
		}
		select {
		case <-p.wake:
		case <-stuck.C: // a lost message may have closed the window for good
			if err := p.Drain(); err != nil {
				return err
			}
		case <-stop:
		case <-p.load.ctx.Done():
			return p.load.err()
		}
	}
}

// Drain waits until everything sent is acknowledged and delivered.
func (p *Publisher) Drain() error {
	sent := p.sent.Load()
	if p.QoS > 0 {
		if err := p.load.Await("acknowledgements came", sent, p.acked.Load); err != nil {
			return fmt.Errorf("publisher %d: %w", p.Number, err)
		}
	}
	if p.Deliveries > 0 {
		if err := p.load.Await("messages arrived", sent*uint64(p.Deliveries), p.delivered.Load); err != nil {
			return fmt.Errorf("publisher %d: %w", p.Number, err)
		}
	}
	return nil
}

// room is how many messages the window has place for.
func (p *Publisher) room() int {
	sent, done := p.sent.Load(), p.sent.Load()
	if p.QoS > 0 {
		done = min(done, p.acked.Load())
	}
	if p.Deliveries > 0 {
		done = min(done, p.delivered.Load()/uint64(p.Deliveries))
	}
	return p.Window - int(sent-done)
}

// send writes the next n messages in one go.
func (p *Publisher) send(n int) error {
	out := p.c.out[:0]
	binary.BigEndian.PutUint64(p.payload[12:], uint64(now()))
	for range n {
		seq := p.sent.Add(1)
		binary.BigEndian.PutUint64(p.payload[4:], seq)
		out = wire.AppendPublish(out, p.Topic(seq), p.payload, p.QoS, p.Retain, uint16(seq%0xffff)+1)
	}
	_, err := p.c.conn.Write(out)
	p.c.out = out[:0]
	return err
}

// readAcks counts acknowledgements and answers PUBREC. It writes beside send: net.Conn takes care of that.
func (p *Publisher) readAcks() error {
	var out []byte
	for {
		pkt, err := p.c.next()
		if err != nil {
			return fmt.Errorf("publisher %d: %w", p.Number, err)
		}
		switch {
		case pkt.Type == wire.PUBACK && p.QoS == 1, pkt.Type == wire.PUBCOMP && p.QoS == 2:
			p.acked.Add(1)
		case pkt.Type == wire.PUBREC && p.QoS == 2:
			out = wire.AppendAck(out, wire.PUBREL, pkt.ID())
		default:
			return fmt.Errorf("publisher %d: unexpected packet type %d at QoS %d", p.Number, pkt.Type, p.QoS)
		}
		if p.c.buffered() {
			continue
		}
		if len(out) > 0 {
			if _, err := p.c.conn.Write(out); err != nil {
				return fmt.Errorf("publisher %d: sending PUBREL: %w", p.Number, err)
			}
			out = out[:0]
		}
		p.nudge()
	}
}

func (p *Publisher) credit() {
	p.delivered.Add(1)
	p.nudge()
}

func (p *Publisher) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
