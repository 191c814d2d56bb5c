package bridge

import (
	"fmt"
	"time"

	"github.com/edged/edged"
)

// A lease takes as many messages as make about leaseBytes, so that memory does not grow with their size.
const (
	leaseMost  = 64
	leaseBytes = 256 << 10
)

// overhead is more than the bytes a PUBLISH has beside topic and payload.
const overhead = 1 + 4 + 2 + 2

// pump is the only one who sends messages of the queue, and PUBRELs: what it does is what the order is.
type pump struct {
	*link
	batch []edged.Queued // leased, not yet sent
	most  int            // the size of the next lease
	due   time.Time      // when max_rate allows the next message
}

// pump sends until the link ends.
func (l *link) pump() error {
	p := &pump{link: l, most: leaseMost}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for l.ctx.Err() == nil {
		pause, err := p.round()
		if err != nil {
			return err
		}
		if pause == 0 {
			continue
		}
		timer.Reset(pause)
		select {
		case <-l.ctx.Done():
		case <-l.u.wake:
		case <-timer.C:
		}
	}
	return nil
}

// idle is how long a round's pause is when only a wake-up can change anything.
const idle = time.Hour

// round sends what can be sent now; pause is how long to wait for a wake-up, 0: go on at once.
func (p *pump) round() (pause time.Duration, err error) {
	if err := p.release(); err != nil {
		return 0, err
	}
	for _, m := range p.live.take() {
		if err := p.conn.Publish(0, m, false); err != nil {
			return 0, err
		}
		p.u.count(func(s *Stats) { s.Forwarded++ })
	}
	n, barred := p.window.len()
	if n >= p.u.cfg.Inflight {
		return idle, nil
	}
	if len(p.batch) == 0 {
		if err := p.lease(); err != nil {
			return 0, err
		}
	}
	if len(p.batch) == 0 {
		return idle, nil
	}
	for len(p.batch) > 0 && n < p.u.cfg.Inflight && !p.waiting() {
		q := p.batch[0]
		if pause := p.hold(q, barred); pause > 0 {
			return pause, nil
		}
		p.batch = p.batch[1:]
		if err := p.send(q); err != nil {
			return 0, err
		}
		n++
		_, barred = p.window.len()
	}
	return 0, nil
}

// waiting says that PUBRELs are to be sent, which go first: the server holds their messages back.
func (p *pump) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.released) > 0
}

func (p *pump) release() error {
	p.mu.Lock()
	seqs := p.released
	p.released = nil
	p.mu.Unlock()
	for _, seq := range seqs {
		if err := p.conn.Release(seq, false); err != nil {
			return err
		}
	}
	return nil
}

// lease takes the next messages from the queue, if there are any.
func (p *pump) lease() error {
	batch, err := p.u.o.Queue.Lease(p.most)
	if err != nil {
		return fmt.Errorf("reading the queue: %w", err)
	}
	if len(batch) == 0 {
		p.most = leaseMost
		return nil
	}
	bytes := 1
	for _, q := range batch {
		bytes += len(q.Payload) + len(q.Topic)
	}
	p.most = min(max(len(batch)*leaseBytes/bytes, 1), leaseMost)
	p.batch = batch
	return nil
}

// hold is how long the next message has to wait for something other than room in the window; 0: not at all.
func (p *pump) hold(q edged.Queued, barred bool) time.Duration {
	now, oldest, span := time.Now(), p.window.oldest(q.Seq), p.conn.Span()
	safe := p.u.saved.safe(q.Seq, oldest, span, now) // asked for every message, so that the mark moves
	switch {
	case barred && q.Seq > p.u.sentTo:
		return idle
	case q.Seq-oldest >= span:
		return idle
	case q.QoS == edged.ExactlyOnce && !q.Received && !safe:
		return savedAfter / 10
	}
	if p.u.cfg.Drain.MaxRate > 0 {
		if wait := p.due.Sub(now); wait > 0 {
			return wait
		}
		gap := time.Second / time.Duration(p.u.cfg.Drain.MaxRate)
		if p.due = p.due.Add(gap); p.due.Before(now) {
			p.due = now.Add(gap)
		}
	}
	return 0
}

// send takes one message a step on: publishes it, resumes it, or drops it and says so.
func (p *pump) send(q edged.Queued) error {
	again := q.Seq <= p.u.sentTo
	// A QoS 2 message that may have been sent has to be finished, or else its packet identifier stays taken on the server,
	// which would swallow a later message of the same identifier.
	begun := q.QoS == edged.ExactlyOnce && again && !p.lost
	if q.Received && !p.u.void(q.Seq) {
		return p.resume(q)
	}
	r, to, problem := p.u.forward.target(q.Topic)
	switch {
	case problem != "":
	case expired(q.Message, r.maxAge, time.Now()):
		problem = "expired"
	case len(to)+len(q.Payload)+overhead > int(p.u.cfg.PacketBytes):
		problem = "too-long"
	}
	if problem != "" {
		p.u.drop(q, problem)
		if begun {
			return p.resume(q)
		}
		p.u.o.Queue.Ack(q.Seq)
		return nil
	}
	m := q.Message
	m.Topic = to
	if !begun {
		m.QoS = min(m.QoS, r.qos)
	}
	if m.QoS == edged.AtMostOnce { // an earlier rule sends it live
		p.u.o.Queue.Ack(q.Seq)
		return nil
	}
	if p.lost && again && m.QoS == edged.ExactlyOnce {
		p.u.count(func(s *Stats) { s.Uncertain++ })
	}
	p.u.sentTo = max(p.u.sentTo, q.Seq)
	p.window.add(q.Seq, false)
	return p.conn.Publish(q.Seq, m, again && !p.lost)
}

// resume sends the PUBREL of a message from an earlier connection.
func (p *pump) resume(q edged.Queued) error {
	p.window.add(q.Seq, true)
	return p.conn.Release(q.Seq, true)
}

// trusted is when clocks began to be right: a device that starts without one is in 1970.
var trusted = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// expired says whether a message is too old to be sent. Nothing expires by a clock that was never set.
func expired(m edged.Message, maxAge time.Duration, now time.Time) bool {
	if m.Time.Before(trusted) || now.Before(trusted) {
		return false
	}
	return m.Expired(now) || maxAge > 0 && now.Sub(m.Time) > maxAge
}
