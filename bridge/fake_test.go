package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged"
)

// fakeQueue is an edged.Queue in memory; each receipt is on disk at once.
type fakeQueue struct {
	mu       sync.Mutex
	msgs     []edged.Queued
	state    map[uint64]string // "leased", "received", "acked"
	again    map[uint64]bool
	notify   func()
	receipts []func() // kept back, when hold is set
	hold     bool
	fails    error
}

func newFakeQueue() *fakeQueue {
	return &fakeQueue{state: map[uint64]string{}, again: map[uint64]bool{}}
}

func (q *fakeQueue) Name() string { return "uplink/cloud" }

func (q *fakeQueue) add(msgs ...edged.Message) {
	q.mu.Lock()
	for _, m := range msgs {
		if m.Time.IsZero() {
			m.Time = time.Now()
		}
		q.msgs = append(q.msgs, edged.Queued{Message: m, Seq: uint64(len(q.msgs) + 1)})
	}
	f := q.notify
	q.mu.Unlock()
	if f != nil {
		f()
	}
}

func (q *fakeQueue) Lease(most int) (out []edged.Queued, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.msgs {
		if st := q.state[m.Seq]; st == "acked" || st == "leased" || st == "received leased" || len(out) == most {
			continue
		}
		m.Received, m.Redelivered = q.state[m.Seq] == "received", q.again[m.Seq]
		q.state[m.Seq] = strings.TrimSpace(q.state[m.Seq] + " leased")
		out = append(out, m)
	}
	return out, nil
}

func (q *fakeQueue) Rewind() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for seq, st := range q.state {
		switch st {
		case "leased":
			q.again[seq] = true
			delete(q.state, seq)
		case "received leased":
			q.again[seq] = true
			q.state[seq] = "received"
		}
	}
}

func (q *fakeQueue) Received(seq uint64, done func(error)) {
	q.mu.Lock()
	commit := func() {
		q.mu.Lock()
		q.state[seq] = "received leased"
		q.mu.Unlock()
		done(nil)
	}
	if err := q.fails; err != nil {
		q.mu.Unlock()
		done(err)
		return
	}
	if q.hold {
		q.receipts = append(q.receipts, commit)
		q.mu.Unlock()
		return
	}
	q.mu.Unlock()
	commit()
}

func (q *fakeQueue) Ack(seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state[seq] = "acked"
}

func (q *fakeQueue) Notify(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.notify = f
}

func (q *fakeQueue) Stats() edged.QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := edged.QueueStats{Cursor: 1, Next: uint64(len(q.msgs)) + 1}
	for _, m := range q.msgs {
		if q.state[m.Seq] == "acked" {
			s.Cursor = m.Seq + 1
			continue
		}
		if s.Messages == 0 {
			s.Oldest = m.Time
		}
		s.Messages++
	}
	return s
}

// fakeBus is a local broker that remembers.
type fakeBus struct {
	mu       sync.Mutex
	msgs     []edged.Message
	fails    error
	handlers []subscribed
}

type subscribed struct {
	s edged.Subscription
	h edged.Handler
}

func (b *fakeBus) Publish(ctx context.Context, msgs ...edged.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails == nil {
		b.msgs = append(b.msgs, msgs...)
	}
	return b.fails
}

func (b *fakeBus) Subscribe(ctx context.Context, s edged.Subscription, h edged.Handler) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handlers = append(b.handlers, subscribed{s, h})
	return nil
}

// under lists the payloads published under a topic.
func (b *fakeBus) under(topic string) (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.msgs {
		if m.Topic == topic {
			out = append(out, string(m.Payload))
		}
	}
	return out
}

// fakeConn is a connection that notes what is sent on it, in order.
type fakeConn struct {
	dial    Dial
	present bool
	span    uint64
	// mute: nothing is acknowledged; stuck: the network takes nothing.
	mute, stuck bool

	mu      sync.Mutex
	sent    []string // "PUBLISH 1 topic", "PUBREL 1", "ANNOUNCE …", "SUBSCRIBE …", "DISCONNECT"
	records []edged.Message
	err     error
	done    chan struct{}
}

func (c *fakeConn) SessionPresent() bool { return c.present }
func (c *fakeConn) Span() uint64         { return c.span }

func (c *fakeConn) note(what string) error {
	if c.stuck {
		<-c.done
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.sent = append(c.sent, what)
	return nil
}

func (c *fakeConn) log() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.sent...)
}

func (c *fakeConn) Publish(seq uint64, m edged.Message, dup bool) error {
	what := "PUBLISH"
	if dup {
		what = "DUP"
	}
	return c.note(strings.Join([]string{what, num(seq), m.Topic, "q" + num(uint64(m.QoS))}, " "))
}

func (c *fakeConn) Release(seq uint64, resumed bool) error { return c.note("PUBREL " + num(seq)) }

func (c *fakeConn) Announce(ctx context.Context, m edged.Message) error {
	c.mu.Lock()
	c.records = append(c.records, m)
	c.mu.Unlock()
	if err := c.note("ANNOUNCE " + m.Topic); err != nil {
		return err
	}
	if c.mute {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return c.Err()
		}
	}
	return nil
}

func (c *fakeConn) Subscribe(ctx context.Context, subs []edged.Subscription) error {
	for _, s := range subs {
		if err := c.note("SUBSCRIBE " + s.Filter); err != nil {
			return err
		}
	}
	return nil
}

func (c *fakeConn) Disconnect(ctx context.Context) {
	_ = c.note("DISCONNECT")
	c.end(edged.ErrClosed)
}

func (c *fakeConn) Close()                { c.end(edged.ErrClosed) }
func (c *fakeConn) Done() <-chan struct{} { return c.done }

func (c *fakeConn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// end ends the connection as the server would.
func (c *fakeConn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.done)
	}
}

// status is the n-th liveness record, -1 the last.
func (c *fakeConn) status(t *testing.T, n int) (rec record) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < 0 {
		n += len(c.records)
	}
	if n < 0 || n >= len(c.records) {
		t.Fatalf("there is no record %d, only %d", n, len(c.records))
	}
	if err := json.Unmarshal(c.records[n].Payload, &rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

func num(n uint64) string { return string(encode(n)) }

// fakeServer is what is dialled: it notes the attempts, and answers as it is told.
type fakeServer struct {
	mu       sync.Mutex
	attempts []attempt
	// answer decides about an attempt; nil: accepted, session present unless clean or first.
	answer func(n int, d Dial) (*fakeConn, error)
	conns  []*fakeConn
}

type attempt struct {
	at   time.Time
	host string
	d    Dial
}

func newConn() *fakeConn { return &fakeConn{present: true, span: 30_000, done: make(chan struct{})} }

func (s *fakeServer) dial(ctx context.Context, d Dial) (Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, attempt{time.Now(), d.URL.Host, d})
	c := newConn()
	if s.answer != nil {
		var err error
		if c, err = s.answer(len(s.attempts), d); err != nil {
			return nil, err
		}
	}
	c.dial = d
	s.conns = append(s.conns, c)
	return c, nil
}

// last is the latest connection.
func (s *fakeServer) last(t *testing.T) *fakeConn {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 {
		t.Fatal("nothing has connected")
	}
	return s.conns[len(s.conns)-1]
}

func (s *fakeServer) tries() []attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]attempt(nil), s.attempts...)
}

var errDown = errors.New("connection refused")
