package broker

import (
	"maps"
	"strings"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/codec/topic"
)

// onSubscribe puts filters in force. What a persistent session subscribed to is on disk before SUBACK.
func (c *conn) onSubscribe(p *mqtt.Subscribe) error {
	s := c.sess
	ack := &mqtt.Suback{PacketID: p.PacketID, Codes: make([]mqtt.ReasonCode, len(p.Filters))}
	var identifier uint32
	if p.Properties != nil && len(p.Properties.SubscriptionIdentifiers) > 0 {
		identifier = p.Properties.SubscriptionIdentifiers[0]
	}
	s.mu.Lock()
	after := maps.Clone(s.filters)
	s.mu.Unlock()
	var added []*subscription
	for i, f := range p.Filters {
		code, why := c.may(toSubscribe, f.Filter)
		if _, had := after[f.Filter]; !code.Failed() && !had && len(after) >= c.b.cfg.Limits.Subscriptions {
			code, why = mqtt.QuotaExceeded, "broker.limits.subscriptions reached"
		}
		if code.Failed() {
			if c.sayRefusal() {
				c.b.log.Warn("a subscription was refused", "client", s.id, "user", s.user, "filter", f.Filter, "reason", why, "refused of this connection", c.refusals)
			}
			ack.Codes[i] = code
			continue
		}
		sub := newSubscription(edged.Subscription{
			Filter: strings.Clone(f.Filter), QoS: edged.QoS(f.QoS), NoLocal: f.NoLocal,
			RetainAsPublished: f.RetainAsPublished, RetainHandling: f.RetainHandling, Identifier: identifier,
		}, s)
		after[sub.Filter] = sub
		added = append(added, sub)
		ack.Codes[i] = mqtt.ReasonCode(f.QoS)
	}
	if err := c.keepFilters(after); err != nil {
		for i, code := range ack.Codes {
			if !code.Failed() {
				ack.Codes[i] = refusal(err)
			}
		}
		added = nil
	}
	if c.version != mqtt.V5 {
		for i, code := range ack.Codes {
			if code.Failed() {
				ack.Codes[i] = mqtt.UnspecifiedError // the only failure 3.1.1 knows
			}
		}
	}
	c.reply(ack)
	for _, sub := range added {
		c.subscribe(sub)
	}
	return nil
}

// keepFilters saves a persistent session's filters and waits until they are.
func (c *conn) keepFilters(filters map[string]*subscription) error {
	if c.sess.queue == nil {
		return nil
	}
	c.settle()
	kept := make(chan error, 1)
	c.b.store.Commit(edged.Batch{Put: []edged.Record{c.sess.record(c.expiry, filters, 0)}}, func(err error) { kept <- err })
	select {
	case err := <-kept:
		c.router.now = time.Now() // the time it was not listened to counts for no keep alive interval
		c.sess.logFailure(err)
		return err
	case <-c.quit:
		return edged.ErrClosed
	}
}

// subscribe puts one filter in force and sends its retained messages, as one step for those who publish.
func (c *conn) subscribe(sub *subscription) {
	s, b := c.sess, c.b
	b.routes.Lock()
	defer b.routes.Unlock()
	s.mu.Lock()
	old := s.filters[sub.Filter]
	s.filters[sub.Filter] = sub
	s.count.Store(int32(len(s.filters)))
	s.mu.Unlock()
	if old != nil {
		b.routes.remove(old)
	}
	b.routes.add(sub)
	c.commits = append(c.commits, c.router.replay(sub, old != nil)...)
}

// replay delivers the retained messages for a subscription and returns what has to be committed for a durable one.
func (r *router) replay(sub *subscription, had bool) (commits []pendingCommit) {
	if sub.RetainHandling == 2 || sub.RetainHandling == 1 && had {
		return nil
	}
	if _, _, shared := topic.SplitShare(sub.Filter); shared {
		return nil // MQTT 5.0 §4.8.2
	}
	for _, m := range r.b.retained.match(sub.Filter, r.now) {
		if sub.NoLocal && sub.owner.principal() == (principal{name: m.From}) {
			continue
		}
		r.begin()
		r.msg, r.borrowed, r.owned = m, false, nil
		sub.owner.deliver(r, delivery{qos: min(m.QoS, sub.QoS), retain: true, ids: sub.ids})
		if len(r.to) > 0 {
			batch := edged.Batch{Message: *m, To: r.to}
			r.to = nil
			commits = append(commits, pendingCommit{batch, func(err error) {
				if err != nil {
					r.b.log.Error("a retained message was not queued for a new subscription", "topic", m.Topic, "error", err)
				}
			}})
		}
	}
	if r.scratch != nil {
		r.msg, r.owned = nil, nil
	}
	return commits
}

// onUnsubscribe takes filters out of force.
func (c *conn) onUnsubscribe(p *mqtt.Unsubscribe) error {
	s, b := c.sess, c.b
	ack := &mqtt.Unsuback{PacketID: p.PacketID, Codes: make([]mqtt.ReasonCode, len(p.Filters))}
	b.routes.Lock()
	s.mu.Lock()
	for i, f := range p.Filters {
		sub := s.filters[f]
		if sub == nil {
			ack.Codes[i] = mqtt.NoSubscriptionExisted
			continue
		}
		b.routes.remove(sub)
		delete(s.filters, f)
	}
	s.count.Store(int32(len(s.filters)))
	after := maps.Clone(s.filters)
	s.mu.Unlock()
	b.routes.Unlock()
	if err := c.keepFilters(after); err != nil {
		for i := range ack.Codes {
			ack.Codes[i] = refusal(err)
		}
	}
	c.reply(ack)
	return nil
}

func checkSubscription(s edged.Subscription) error {
	if err := topic.CheckFilter(s.Filter); err != nil {
		return err
	}
	if _, _, shared := topic.SplitShare(s.Filter); shared {
		return edged.BadKey("", "%q is a shared subscription; they are for network clients only", s.Filter)
	}
	return nil
}
