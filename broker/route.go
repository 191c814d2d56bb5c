package broker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// subscription is one filter of one subscriber.
type subscription struct {
	edged.Subscription
	owner subscriber
	ids   []uint32 // the subscription identifier as a list, shared by all messages
}

func newSubscription(s edged.Subscription, owner subscriber) *subscription {
	sub := &subscription{Subscription: s, owner: owner}
	if s.Identifier != 0 {
		sub.ids = []uint32{s.Identifier}
	}
	return sub
}

// subscriber is whoever has subscriptions: a network client's session, an in-process handler, an attached queue.
type subscriber interface {
	principal() principal
	// single says that the subscriber has one filter only, so that no message can match twice.
	single() bool
	// deliver hands over r's message, or adds it to r.to. It must not block.
	deliver(r *router, d delivery)
	ordinal() uint64
}

// principal is who publishes and subscribes. In-process clients and network clients have names of their own each: a
// network client cannot pass for an uplink by taking its name.
type principal struct {
	name  string
	local bool
}

// delivery is what differs from one subscriber of a message to the next.
type delivery struct {
	qos    edged.QoS
	retain bool
	ids    []uint32
	share  *share // that it comes from; nil: the subscriber's own
}

// router brings messages to their subscribers. Each publishing goroutine has one of its own and uses it again for every
// message, so that the way of a QoS 0 message allocates little and shares no lock but the routes' for reading.
type router struct {
	b   *Broker
	now time.Time

	*scratch // nil until something was routed

	dirty []*conn // have bytes that this router must flush
}

// scratch is what a router needs while it works. A connection that is silent has none.
type scratch struct {
	publish mqtt.Publish // as it was read

	msg      *edged.Message
	from     principal
	borrowed bool           // msg aliases a read buffer
	owned    *edged.Message // msg, or a copy that may be kept
	encoded  [2]mqtt.Encoded
	have     [2]bool
	failed   bool // to encode

	hits []*subscription
	many []*subscription
	to   []edged.Delivery
}

// begin makes r ready for another message.
func (r *router) begin() {
	if r.scratch == nil {
		r.scratch = new(scratch)
	}
	r.have, r.failed = [2]bool{}, false
}

// route hands m to its live subscribers and returns what has to be committed for the durable ones, which may be nothing.
// What it put into connections' buffers goes out with flush.
func (r *router) route(m *edged.Message, from principal, borrowed bool) edged.Batch {
	r.begin()
	r.msg, r.from, r.borrowed, r.owned = m, from, borrowed, nil
	var batch edged.Batch
	r.routeLocked(&batch)
	if len(r.to) > 0 || len(batch.Put) > 0 {
		batch.Message, batch.To = *r.keep(), r.to
		r.to = nil // the store's now
	}
	r.msg, r.owned = nil, nil
	r.encoded = [2]mqtt.Encoded{}
	return batch
}

func (r *router) routeLocked(batch *edged.Batch) {
	routes := &r.b.routes
	routes.RLock()
	defer routes.RUnlock() // a panic on the way ends one connection, not the broker
	m := r.msg
	if m.Retain {
		if rec := r.b.retained.set(r); rec.Key != "" {
			batch.Put = append(batch.Put, rec)
		}
	}
	r.hits = routes.trie.Match(r.hits[:0], m.Topic)
	r.many = r.many[:0]
	for _, s := range r.hits {
		if s.NoLocal && s.owner.principal() == r.from {
			continue
		}
		if !s.owner.single() {
			r.many = append(r.many, s)
			continue
		}
		s.owner.deliver(r, delivery{qos: min(m.QoS, s.QoS), retain: m.Retain && s.RetainAsPublished, ids: s.ids})
	}
	if len(r.many) > 0 {
		r.merge()
	}
	clear(r.hits)
	clear(r.many)
}

// merge delivers one copy to each subscriber with overlapping filters, at the highest QoS and with the identifiers of
// all of them (MQTT 5.0 §3.3.4).
func (r *router) merge() {
	slices.SortFunc(r.many, func(a, b *subscription) int {
		return cmp.Or(cmp.Compare(a.owner.ordinal(), b.owner.ordinal()), cmp.Compare(a.Identifier, b.Identifier))
	})
	for i := 0; i < len(r.many); {
		owner := r.many[i].owner
		var d delivery
		for ; i < len(r.many) && r.many[i].owner == owner; i++ {
			s := r.many[i]
			d.qos = max(d.qos, min(r.msg.QoS, s.QoS))
			d.retain = d.retain || r.msg.Retain && s.RetainAsPublished
			if d.ids == nil {
				d.ids = s.ids
			} else if s.ids != nil {
				d.ids = append(slices.Clone(d.ids), s.ids...)
			}
		}
		owner.deliver(r, d)
	}
}

// keep returns the message in memory of its own.
func (r *router) keep() *edged.Message {
	if r.owned == nil {
		m := *r.msg
		if r.borrowed {
			m.Topic = strings.Clone(m.Topic)
			m.Payload = slices.Clone(m.Payload)
		}
		r.owned = &m
	}
	return r.owned
}

// encode returns the message as bytes for all subscribers of a version; false: MQTT cannot express it, which is logged.
func (r *router) encode(v mqtt.Version) (mqtt.Encoded, bool) {
	i := 0
	if v == mqtt.V5 {
		i = 1
	}
	if !r.have[i] && !r.failed {
		p := toPublish(r.msg, v, nil, r.now)
		e, err := p.Encode(v)
		if err != nil {
			r.failed = true
			r.b.stats.dropped.Add(1)
			r.b.log.Error("a message cannot be sent as MQTT", "topic", r.msg.Topic, "error", err)
		}
		r.encoded[i], r.have[i] = e, err == nil
	}
	return r.encoded[i], r.have[i]
}

// flush writes out what route left in connections' buffers, as far as that is possible without waiting.
func (r *router) flush() {
	for i, c := range r.dirty {
		c.flush()
		r.dirty[i] = nil
	}
	r.dirty = r.dirty[:0]
}
