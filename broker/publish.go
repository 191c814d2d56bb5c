package broker

import (
	"fmt"
	"strings"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// pendingCommit waits for the reader's next settle: live subscribers are served first.
type pendingCommit struct {
	batch edged.Batch
	done  func(error)
}

// settle flushes and commits what the packets handled so far have left. The reader calls it before it waits for anything.
func (c *conn) settle() {
	c.router.flush()
	c.counted.post(&c.b.stats.in)
	for i, p := range c.commits {
		c.b.commit(p.batch, p.done)
		c.commits[i] = pendingCommit{}
	}
	c.commits = c.commits[:0]
}

// commit hands b to the store; without anything to keep, done is called at once.
func (b *Broker) commit(batch edged.Batch, done func(error)) {
	if len(batch.To) == 0 && len(batch.Put) == 0 {
		done(nil)
		return
	}
	b.store.Commit(batch, func(err error) {
		for _, rec := range batch.Put {
			if strings.HasPrefix(rec.Key, retainedPrefix) {
				b.retained.committed(rec.Key)
			}
		}
		done(err)
	})
}

// onPublish routes a client's message. p aliases the read buffer.
func (c *conn) onPublish(p *mqtt.Publish) error {
	c.counted.messages++
	c.counted.payload += uint64(len(p.Payload))
	if c.version == mqtt.V5 {
		if err := c.resolveAlias(p); err != nil {
			return err
		}
		if p.Properties != nil && len(p.Properties.SubscriptionIdentifiers) > 0 {
			return violation(mqtt.ProtocolError, "PUBLISH from a client carries a subscription identifier (MQTT-3.3.4-6)")
		}
	}
	if p.QoS > 0 {
		if err := c.awaitRoom(); err != nil {
			return err
		}
	}
	if p.QoS == 2 {
		if again, err := c.again(p.PacketID); again || err != nil {
			return err
		}
	}
	if code, why := c.may(toSend, p.Topic); code.Failed() {
		c.denied(p, code, why)
		return nil
	}
	m := edged.Message{
		Topic: p.Topic, Payload: p.Payload, QoS: edged.QoS(p.QoS), Retain: p.Retain,
		Props: fromProperties(p.Properties), From: c.client.name, Time: c.router.now,
	}
	batch := c.router.route(&m, c.client, true)
	if p.QoS == 0 {
		return nil
	}
	if p.QoS == 2 {
		keep := c.sess.queue != nil && len(batch.To) > 0
		c.sess.remember(p.PacketID, inbound{kept: keep})
		if keep {
			batch.Put = append(batch.Put, edged.Record{Key: c.sess.inboundKey(p.PacketID), Value: []byte{1}})
		}
	}
	c.acknowledge(p.PacketID, p.QoS, batch)
	return nil
}

// again answers a QoS 2 message that was taken in before; it is not routed a second time (MQTT-4.3.3-10).
func (c *conn) again(id uint16) (bool, error) {
	in, known, many := c.sess.remembers(id)
	if !known {
		if c.version == mqtt.V5 && many >= ackWindow {
			return false, violation(mqtt.ReceiveMaximumExceeded, "more than %d QoS 2 messages without PUBREL (MQTT-3.3.4-9)", ackWindow)
		}
		return false, nil
	}
	c.mu.Lock()
	pending := c.acks.pending(id, 2)
	c.mu.Unlock()
	switch {
	case pending:
	case in.sure:
		c.reply(&mqtt.Pubrec{PacketID: id})
	default:
		c.confirm(id)
	}
	return true, nil
}

// confirm answers a message whose commit is still on its way from an earlier connection of the session, after that commit: the store
// answers in the order in which it was asked. A commit that failed was forgotten, or will be: the client has to send the message anew.
func (c *conn) confirm(id uint16) {
	c.mu.Lock()
	n := c.acks.base + uint64(len(c.acks.entries))
	c.acks.entries = append(c.acks.entries, ack{id: id, qos: 2})
	c.mu.Unlock()
	nothing := edged.Batch{Put: []edged.Record{{Key: c.sess.inboundKey(id) + "?"}}} // deletes what is not there
	c.commits = append(c.commits, pendingCommit{nothing, func(err error) {
		if in, known, _ := c.sess.remembers(id); err == nil && !(known && in.sure) {
			err = edged.ErrStoreFailed
		}
		if err != nil && c.version != mqtt.V5 {
			c.kick(violation(refusal(err), "a message of an earlier connection could not be kept: %v", err))
			return
		}
		c.committed(n, err)
	}})
}

// resolveAlias puts the topic in the place of an alias (MQTT 5.0 §3.3.2.3.4).
func (c *conn) resolveAlias(p *mqtt.Publish) error {
	if p.Properties == nil || p.Properties.Has&mqtt.TopicAlias == 0 {
		return nil
	}
	alias := p.Properties.TopicAlias
	if alias > maxAliases {
		return violation(mqtt.TopicAliasInvalid, "topic alias %d; the maximum is %d (MQTT-3.3.2-9)", alias, maxAliases)
	}
	if p.Topic != "" {
		if c.aliases == nil {
			c.aliases = map[uint16]string{}
		}
		if c.aliases[alias] != p.Topic {
			c.aliases[alias] = strings.Clone(p.Topic)
		}
		return nil
	}
	name, ok := c.aliases[alias]
	if !ok {
		return violation(mqtt.ProtocolError, "topic alias %d was not given a topic (MQTT 5.0 §3.3.4)", alias)
	}
	p.Topic = name
	return nil
}

// denied answers a publish that is not allowed. 3.x cannot say so in an acknowledgement: the message is acknowledged and
// dropped, as others do it (MQTT-3.3.5-2 of 3.1.1), so that a client does not repeat it for ever.
func (c *conn) denied(p *mqtt.Publish, code mqtt.ReasonCode, why string) {
	n := c.b.stats.denied.Add(1)
	if c.sayRefusal() {
		c.b.log.Warn("a publish was refused", "client", c.client.name, "user", c.user, "topic", p.Topic, "reason", why, "refused of this connection", c.refusals, "of all", n)
	}
	var props *mqtt.Properties
	if !c.terse {
		props = &mqtt.Properties{Has: mqtt.ReasonString, ReasonString: why}
	}
	switch {
	case p.QoS == 0:
	case c.version != mqtt.V5:
		c.acknowledge(p.PacketID, p.QoS, edged.Batch{})
	case p.QoS == 1:
		c.reply(&mqtt.Puback{PacketID: p.PacketID, Code: code, Properties: props})
	default:
		c.reply(&mqtt.Pubrec{PacketID: p.PacketID, Code: code, Properties: props})
	}
}

// sayRefusal counts what is refused, and says when to log it: the 1st, 2nd, 4th, … of a connection.
func (c *conn) sayRefusal() bool {
	c.refusals++
	return c.refusals&(c.refusals-1) == 0
}

// onPubrel ends a QoS 2 message of the client's. That it is forgotten is on disk before PUBCOMP, if it was on disk.
func (c *conn) onPubrel(p *mqtt.Pubrel) {
	known, kept := c.sess.forget(p.PacketID)
	comp := &mqtt.Pubcomp{PacketID: p.PacketID}
	if !known {
		comp.Code = mqtt.PacketIdentifierNotFound
	}
	if !kept {
		c.reply(comp)
		return
	}
	batch := edged.Batch{Put: []edged.Record{{Key: c.sess.inboundKey(p.PacketID)}}}
	c.commits = append(c.commits, pendingCommit{batch, func(err error) {
		if err != nil {
			c.kick(violation(refusal(err), "a PUBREL could not be kept: %v", err))
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.put(comp)
		c.kickWriter()
	}})
}

func (s *session) inboundKey(id uint16) string {
	return fmt.Sprintf("%s%s/%05d", inboundPrefix, s.id, id)
}
