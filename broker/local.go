package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// Client is a client inside the process; its messages are From name. Access rules do not apply to it. It works before Run,
// and until Run ends.
func (b *Broker) Client(name string) edged.Bus {
	return &local{b: b, who: principal{name: name, local: true}}
}

type local struct {
	b   *Broker
	who principal
}

// routers are used again by in-process publishers.
var routers = sync.Pool{New: func() any { return new(router) }}

// Publish implements edged.Publisher.
func (l *local) Publish(ctx context.Context, msgs ...edged.Message) error {
	select {
	case <-l.b.stopped:
		return fmt.Errorf("publish as %s: broker: %w", l.who.name, edged.ErrClosed)
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	for i := range msgs {
		if err := topic.CheckName(msgs[i].Topic); err != nil {
			return fmt.Errorf("publish as %s: %w", l.who.name, err)
		}
		if msgs[i].QoS > edged.ExactlyOnce {
			return fmt.Errorf("publish as %s on %s: QoS %d; use 0, 1 or 2", l.who.name, msgs[i].Topic, msgs[i].QoS)
		}
	}
	wait, err := l.publish(msgs)
	if wait == nil {
		return err
	}
	select {
	case err := <-wait:
		if err != nil {
			return fmt.Errorf("publish as %s on %s: %w", l.who.name, msgs[0].Topic, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("publish as %s on %s: not known to be kept: %w", l.who.name, msgs[0].Topic, ctx.Err())
	}
}

// publish routes msgs; wait gets the result of their commits, and is nil when nothing has to be committed.
func (l *local) publish(msgs []edged.Message) (wait chan error, err error) {
	r := routers.Get().(*router)
	r.b, r.now = l.b, time.Now()
	defer func() {
		r.b = nil
		routers.Put(r)
	}()
	var batches []edged.Batch
	for i := range msgs {
		m := msgs[i]
		m.From = l.who.name
		if m.Time.IsZero() {
			m.Time = r.now
		}
		if batch := r.route(&m, l.who, false); len(batch.To) > 0 || len(batch.Put) > 0 {
			batches = append(batches, batch)
		}
	}
	r.flush()
	l.b.stats.published.Add(uint64(len(msgs)))
	if len(batches) == 0 {
		return nil, nil
	}
	wait = make(chan error, 1)
	var mu sync.Mutex
	var failed error
	left := len(batches)
	for _, batch := range batches {
		l.b.commit(batch, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
			if left--; left == 0 {
				wait <- failed
			}
		})
	}
	return wait, nil
}

// Subscribe implements edged.Bus.
func (l *local) Subscribe(ctx context.Context, s edged.Subscription, h edged.Handler) error {
	b := l.b
	if err := checkSubscription(s); err != nil {
		return fmt.Errorf("subscribe as %s: %w", l.who.name, err)
	}
	sub := &handler{b: b, who: l.who, order: b.ids.Add(1), wake: make(chan struct{}, 1)}
	entry := newSubscription(s, sub)
	b.mu.Lock()
	select {
	case <-b.stopped:
		b.mu.Unlock()
		return fmt.Errorf("subscribe as %s: broker: %w", l.who.name, edged.ErrClosed)
	default:
	}
	if b.stopping {
		b.mu.Unlock()
		return fmt.Errorf("subscribe as %s: broker: %w", l.who.name, edged.ErrClosed)
	}
	b.running.Add(1)
	b.mu.Unlock()
	r := &router{b: b, now: time.Now()}
	b.routes.Lock()
	b.routes.trie.Add(s.Filter, entry)
	r.replay(entry, false)
	b.routes.Unlock()
	go func() {
		defer b.running.Done()
		sub.run(ctx, h)
		b.routes.Lock()
		b.routes.trie.Remove(s.Filter, entry)
		b.routes.Unlock()
	}()
	return nil
}

// handler is one subscription of an in-process client, with a goroutine of its own.
type handler struct {
	b     *Broker
	who   principal
	order uint64
	lost  atomic.Uint64
	wake  chan struct{}

	mu    sync.Mutex
	queue []edged.Message
	bytes int64
}

func (h *handler) principal() principal { return h.who }
func (h *handler) single() bool         { return true }
func (h *handler) ordinal() uint64      { return h.order }

func (h *handler) deliver(r *router, d delivery) {
	m := *r.keep()
	m.QoS, m.Retain = d.qos, d.retain
	h.mu.Lock()
	defer h.mu.Unlock()
	limits := &h.b.cfg.Limits
	size := int64(len(m.Topic) + len(m.Payload))
	if len(h.queue) >= limits.QueueMessages || h.bytes+size > int64(limits.QueueBytes) {
		h.b.stats.dropped.Add(1)
		if n := h.lost.Add(1); n&(n-1) == 0 {
			h.b.log.Warn("an in-process subscriber lags and loses messages", "name", h.who.name, "lost so far", n)
		}
		return
	}
	h.queue = append(h.queue, m)
	h.bytes += size
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *handler) run(ctx context.Context, f edged.Handler) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.b.stopped:
			return
		case <-h.wake:
		}
		h.mu.Lock()
		batch := h.queue
		h.queue, h.bytes = nil, 0
		h.mu.Unlock()
		for _, m := range batch {
			if ctx.Err() != nil {
				return
			}
			f(m)
		}
	}
}

// Attach makes q a durable subscriber: messages that match subs and are of QoS 1 or 2 on both sides are committed to q before
// their publisher is answered, one copy each, at the highest QoS of the filters that match. name is its From: what an
// in-process client of that name publishes is left out where NoLocal says so. An earlier Attach of the same name is replaced in
// one step, so that no message is missed or kept twice in between. detach ends it and leaves the queue alone.
func (b *Broker) Attach(name string, q edged.Queue, subs []edged.Subscription) (detach func(), err error) {
	var errs []error
	for _, s := range subs {
		if err := checkSubscription(s); err != nil {
			errs = append(errs, fmt.Errorf("attach %s: %w", name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a := &attached{who: principal{name: name, local: true}, queue: q, order: b.ids.Add(1), alone: len(subs) == 1}
	for _, s := range subs {
		a.entries = append(a.entries, newSubscription(s, a))
	}
	b.routes.Lock()
	defer b.routes.Unlock()
	b.routes.detach(b.routes.attached[name])
	for _, e := range a.entries {
		b.routes.trie.Add(e.Filter, e)
	}
	b.routes.attached[name] = a
	return func() {
		b.routes.Lock()
		defer b.routes.Unlock()
		b.routes.detach(a)
	}, nil
}

// detach takes a's filters away, unless that was done before; a may be nil.
func (r *routes) detach(a *attached) {
	if a == nil || r.attached[a.who.name] != a {
		return
	}
	delete(r.attached, a.who.name)
	for _, e := range a.entries {
		r.trie.Remove(e.Filter, e)
	}
}

// attached is a queue as a subscriber.
type attached struct {
	who   principal
	queue edged.Queue
	order uint64
	alone bool
	// entries are its filters in the routes.
	entries []*subscription
}

func (a *attached) principal() principal { return a.who }
func (a *attached) single() bool         { return a.alone }
func (a *attached) ordinal() uint64      { return a.order }

func (a *attached) deliver(r *router, d delivery) {
	if d.qos > 0 {
		r.to = append(r.to, edged.Delivery{Queue: a.queue, QoS: d.qos, Retain: d.retain, Identifiers: d.ids})
	}
}
