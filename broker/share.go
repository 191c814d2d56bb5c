package broker

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// share is a shared subscription: a share name with a filter, and the sessions that subscribed to both (MQTT 5.0 §4.8.2). It
// stands in the trie as one subscriber; each message goes to one member:
//
//	connected, with the least in flight, in turn among equals ── nobody is connected: ──► the queue of an offline member
//
// What a member without a session of its own leaves behind goes to another one, except a QoS 2 message that was sent to it
// (MQTT-4.8.2-5). A persistent member's queue keeps what it got while the session lives (MQTT-4.8.2-4).
type share struct {
	entry   *subscription   // in the trie
	members []*subscription // of sessions; the routes' lock guards it
	turn    atomic.Uint32
}

// lent is a message that a member without a queue has not acknowledged.
type lent struct {
	by  *share
	msg *edged.Message
}

// add puts a session's subscription in force. The write lock is held.
func (r *routes) add(sub *subscription) {
	_, filter, shared := topic.SplitShare(sub.Filter)
	if !shared {
		r.trie.Add(sub.Filter, sub)
		return
	}
	g := r.shares[sub.Filter]
	if g == nil {
		if r.shares == nil {
			r.shares = map[string]*share{}
		}
		g = &share{}
		g.entry = newSubscription(edged.Subscription{Filter: filter, QoS: edged.ExactlyOnce}, g)
		r.shares[sub.Filter] = g
		r.trie.Add(filter, g.entry)
	}
	g.members = append(g.members, sub)
}

// remove takes a session's subscription out of force. The write lock is held.
func (r *routes) remove(sub *subscription) {
	g := r.shares[sub.Filter]
	if g == nil {
		r.trie.Remove(sub.Filter, sub)
		return
	}
	if i := slices.Index(g.members, sub); i >= 0 {
		g.members = slices.Delete(g.members, i, i+1)
	}
	if len(g.members) == 0 {
		delete(r.shares, sub.Filter)
		r.trie.Remove(g.entry.Filter, g.entry)
	}
}

func (g *share) principal() principal { return principal{} }
func (g *share) single() bool         { return true }
func (g *share) ordinal() uint64      { return 0 }

func (g *share) deliver(r *router, _ delivery) {
	if !g.give(r) {
		r.b.stats.dropped.Add(1)
	}
}

// maxCompared is how many members are asked for what they have in flight, before the least loaded of them gets a message.
const maxCompared = 8

// give hands r's message to one member; false: nobody can take it.
func (g *share) give(r *router) bool {
	n := len(g.members)
	if n == 0 {
		return false
	}
	start := int(g.turn.Add(1) % uint32(n))
	var best *subscription
	for i, least := 0, 0; i < min(n, maxCompared); i++ {
		m := g.members[(start+i)%n]
		load, connected := m.owner.(*session).load()
		if connected && (best == nil || load < least) {
			if best, least = m, load; load == 0 {
				break
			}
		}
	}
	if best != nil && g.giveTo(best, r) {
		return true
	}
	for i := range n {
		m := g.members[(start+i)%n]
		if _, connected := m.owner.(*session).load(); connected && m != best && g.giveTo(m, r) {
			return true
		}
	}
	for i := range n {
		if g.giveTo(g.members[(start+i)%n], r) {
			return true
		}
	}
	return false
}

// giveTo delivers at the member's own QoS, and with its own options (MQTT-4.8.2-3).
func (g *share) giveTo(m *subscription, r *router) bool {
	return m.owner.(*session).take(r, delivery{
		qos: min(r.msg.QoS, m.QoS), retain: r.msg.Retain && m.RetainAsPublished, ids: m.ids, share: g,
	})
}

// load is how much a connected session has not done with yet.
func (s *session) load() (messages int, connected bool) {
	c := s.conn.Load()
	if c == nil {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flights.open + len(c.waiting) + c.out.messages, c.kicked == nil && !c.out.failed
}

// lentOut takes what must go to other members when the connection's session ends. The connection was kicked: nothing is
// delivered to it any more.
func (c *conn) lentOut() (all []lent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.flights.items {
		if f := &c.flights.items[i]; f.lent != nil && f.qos == 1 && f.state != completed {
			all = append(all, *f.lent)
		}
	}
	for i := range c.waiting {
		if l := c.waiting[i].lent; l != nil {
			all = append(all, *l)
		}
	}
	return all
}

// passOn gives what a member did not complete to the others of its share.
func (b *Broker) passOn(all []lent) {
	if len(all) == 0 {
		return
	}
	r := &router{b: b, now: time.Now()}
	for _, l := range all {
		if l.msg.Expired(r.now) {
			b.stats.dropped.Add(1)
			continue
		}
		if batch := r.again(l); len(batch.To) > 0 {
			b.commit(batch, func(err error) {
				if err != nil {
					b.log.Error("a message of a shared subscription was lost with the session that had it", "topic", batch.Message.Topic, "error", err)
				}
			})
		}
	}
	r.flush()
}

// again routes a message to one share only.
func (r *router) again(l lent) (batch edged.Batch) {
	r.begin()
	r.msg, r.from, r.borrowed, r.owned = l.msg, principal{}, false, nil
	r.b.routes.RLock()
	defer r.b.routes.RUnlock()
	l.by.deliver(r, delivery{})
	if len(r.to) > 0 {
		batch = edged.Batch{Message: *l.msg, To: r.to}
		r.to = nil
	}
	r.msg, r.owned = nil, nil
	return batch
}

// inherit passes on what waits in an ending session's queue because of its shares: subs are the filters it had, taken out of
// force already. A message that a filter of its own matches too is not passed on: the queue does not tell the copies apart.
func (s *session) inherit(subs map[string]*subscription) {
	var shares []*share
	var own []string
	s.b.routes.RLock()
	for _, sub := range subs {
		if g := s.b.routes.shares[sub.Filter]; g != nil {
			shares = append(shares, g)
		} else if _, _, shared := topic.SplitShare(sub.Filter); !shared {
			own = append(own, sub.Filter)
		}
	}
	s.b.routes.RUnlock()
	if len(shares) == 0 {
		return
	}
	s.queue.Rewind()
	for {
		leased, err := s.queue.Lease(64)
		if err != nil || len(leased) == 0 {
			s.logFailure(err)
			return
		}
		var all []lent
		for i := range leased {
			q := &leased[i]
			matches := func(filter string) bool { return topic.Match(filter, q.Topic) }
			if q.Received || q.Redelivered && q.QoS == edged.ExactlyOnce || slices.ContainsFunc(own, matches) {
				continue
			}
			if g := slices.IndexFunc(shares, func(g *share) bool { return matches(g.entry.Filter) }); g >= 0 {
				all = append(all, lent{shares[g], &q.Message})
			}
		}
		s.b.passOn(all)
	}
}
