package conformance

import (
	"fmt"

	"github.com/edged/edged/codec/mqtt"
)

// qosCases are of sections 4.3 to 4.6: qualities of service, what is sent again, and order.
var qosCases = []testCase{
	{"MQTT-4.3.1-1", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 2)
		pub.publish(s.topic, "x", 0)
		m := c.message(s.topic, "x")
		s.check(m.QoS == 0 && !m.Dup, "%s", show(m))
	}},
	{"MQTT-4.3.2-1", all, func(s *script) { s.fresh(1) }},
	{"MQTT-4.3.2-2", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 1)
		pub.publish(s.topic, "x", 1)
		m := c.message(s.topic, "x")
		s.check(m.QoS == 1 && !m.Dup && m.PacketID != 0, "%s", show(m))
	}},
	{"MQTT-4.3.2-3", all, func(s *script) { // it stays until PUBACK
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 1)
		s.connect().publish(s.topic, "x", 1)
		for range 3 {
			c.message(s.topic, "x")
			c.drop()
			c = s.connect(durable(id))
		}
		c.take(c.message(s.topic, "x"))
		c.leave()
		s.connect(durable(id)).quiet()
	}},
	{"MQTT-4.3.2-4", all, func(s *script) {
		c := s.connect()
		for _, id := range []uint16{1, 258, 65535} {
			c.send(&mqtt.Publish{Topic: s.topic, QoS: 1, PacketID: id})
			s.check(want[*mqtt.Puback](c).PacketID == id, "PUBACK is not for %d", id)
		}
	}},
	{"MQTT-4.3.2-5", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 0)
		for range 3 { // the same identifier, even with DUP, is a new message
			pub.send(&mqtt.Publish{Topic: s.topic, QoS: 1, PacketID: 7, Dup: true})
			want[*mqtt.Puback](pub)
			c.message(s.topic, "")
		}
	}},
	{"MQTT-4.3.3-1", all, func(s *script) { s.fresh(2) }},
	{"MQTT-4.3.3-2", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 2)
		pub.publish(s.topic, "x", 2)
		m := c.message(s.topic, "x")
		s.check(m.QoS == 2 && !m.Dup && m.PacketID != 0, "%s", show(m))
	}},
	{"MQTT-4.3.3-3", all, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 2)
		s.connect().publish(s.topic, "x", 2)
		for range 2 {
			c.message(s.topic, "x")
			c.drop()
			c = s.connect(durable(id))
		}
		c.take(c.message(s.topic, "x"))
	}},
	{"MQTT-4.3.3-4", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 2)
		pub.publish(s.topic, "x", 2)
		c.take(c.message(s.topic, "x"))
	}},
	{"MQTT-4.3.3-5", all, func(s *script) { // PUBREL stays until PUBCOMP
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 2)
		s.connect().publish(s.topic, "x", 2)
		m := c.message(s.topic, "x")
		c.send(&mqtt.Pubrec{PacketID: m.PacketID})
		for range 3 {
			rel := want[*mqtt.Pubrel](c)
			s.check(rel.PacketID == m.PacketID, "PUBREL for %d, not %d", rel.PacketID, m.PacketID)
			c.drop()
			c = s.connect(durable(id))
		}
		want[*mqtt.Pubrel](c)
		c.send(&mqtt.Pubcomp{PacketID: m.PacketID})
		c.leave()
		s.connect(durable(id)).quiet()
	}},
	{"MQTT-4.3.3-6", all, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 2)
		s.connect().publish(s.topic, "x", 2)
		m := c.message(s.topic, "x")
		c.send(&mqtt.Pubrec{PacketID: m.PacketID})
		want[*mqtt.Pubrel](c)
		c.drop()
		c = s.connect(durable(id))
		want[*mqtt.Pubrel](c) // not PUBLISH
		c.quiet()
	}},
	{"MQTT-4.3.3-7", v5, func(s *script) { // what was sent does not expire
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 2)
		pub := s.connect()
		pub.publish(s.topic, "x", 2, expires(1))
		m := c.message(s.topic, "x")
		c.drop()
		s.wait()
		pub.publish(s.topic, "after", 2)
		c = s.connect(durable(id))
		again := c.message(s.topic, "x")
		s.check(again.PacketID == m.PacketID && again.Dup, "%s", show(again))
		c.message(s.topic, "after")
		c.take(again)
	}},
	{"MQTT-4.3.3-8", all, func(s *script) {
		c := s.connect()
		for _, id := range []uint16{1, 258, 65535} {
			c.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: id})
			s.check(want[*mqtt.Pubrec](c).PacketID == id, "PUBREC is not for %d", id)
		}
	}},
	{"MQTT-4.3.3-9", v5, func(s *script) { // a refused identifier is free
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 0)
		pub.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 2, PacketID: 7})
		rec := want[*mqtt.Pubrec](pub)
		s.check(rec.Code.Failed(), "%s", show(rec))
		pub.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 7})
		want[*mqtt.Pubrec](pub)
		pub.send(&mqtt.Pubrel{PacketID: 7})
		want[*mqtt.Pubcomp](pub)
		c.message(s.topic, "")
	}},
	{"MQTT-4.3.3-10", all, func(s *script) { // once, on this connection and on the next
		c := s.connect()
		c.subscribe(s.topic, 2)
		id := unique("c")
		pub := s.connect(durable(id))
		m := &mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 7}
		for i := range 4 {
			if i == 2 {
				pub.drop()
				pub = s.connect(durable(id))
			}
			m.Dup = i > 0
			pub.send(m)
			s.check(want[*mqtt.Pubrec](pub).PacketID == 7, "PUBREC")
		}
		pub.send(&mqtt.Pubrel{PacketID: 7})
		want[*mqtt.Pubcomp](pub)
		c.take(c.message(s.topic, ""))
		c.quiet()
	}},
	{"MQTT-4.3.3-11", all, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 258})
		want[*mqtt.Pubrec](c)
		for range 2 { // a PUBREL that comes again is answered again
			c.send(&mqtt.Pubrel{PacketID: 258})
			s.check(want[*mqtt.Pubcomp](c).PacketID == 258, "PUBCOMP")
		}
	}},
	{"MQTT-4.3.3-12", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 0)
		for range 3 {
			pub.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 7})
			want[*mqtt.Pubrec](pub)
			pub.send(&mqtt.Pubrel{PacketID: 7})
			want[*mqtt.Pubcomp](pub)
			c.message(s.topic, "")
		}
	}},
	{"MQTT-4.3.3-13", v5, func(s *script) {
		pub := s.connect()
		pub.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 7, Properties: &mqtt.Properties{Has: mqtt.MessageExpiryInterval, MessageExpiryInterval: 1}})
		want[*mqtt.Pubrec](pub)
		s.wait()
		pub.send(&mqtt.Pubrel{PacketID: 7})
		s.check(want[*mqtt.Pubcomp](pub).Code == mqtt.Success, "PUBCOMP")
	}},
	{"MQTT-4.4.0-1", all, func(s *script) {
		id := unique("c")
		c, pub := s.connect(durable(id)), s.connect()
		c.subscribe(s.topic, 2)
		for i := range 4 {
			pub.publish(s.topic, fmt.Sprint(i), 2)
		}
		var ids []uint16
		for i := range 4 {
			ids = append(ids, c.message(s.topic, fmt.Sprint(i)).PacketID)
		}
		c.send(&mqtt.Pubrec{PacketID: ids[0]})
		want[*mqtt.Pubrel](c)
		c.quiet() // nothing is sent again while the connection lasts
		c.drop()
		c = s.connect(durable(id))
		s.check(want[*mqtt.Pubrel](c).PacketID == ids[0], "PUBREL with another identifier")
		for i := 1; i < 4; i++ {
			m := c.message(s.topic, fmt.Sprint(i))
			s.check(m.PacketID == ids[i] && m.Dup, "%s; the identifier was %d", show(m), ids[i])
		}
		c.quiet()
	}},
	{"MQTT-4.4.0-2", v5, func(s *script) {
		id := unique("c")
		c, pub := s.connect(durable(id)), s.connect()
		c.subscribe(s.topic, 2)
		pub.publish(s.topic, "1", 1)
		pub.publish(s.topic, "2", 2)
		c.send(&mqtt.Puback{PacketID: c.message(s.topic, "1").PacketID, Code: mqtt.UnspecifiedError})
		c.send(&mqtt.Pubrec{PacketID: c.message(s.topic, "2").PacketID, Code: mqtt.QuotaExceeded})
		c.quiet()
		c.leave()
		s.connect(durable(id)).quiet()
	}},
	{"MQTT-4.5.0-1", all, func(s *script) {
		var ids []string
		for range 3 {
			id := unique("c")
			ids = append(ids, id)
			c := s.connect(durable(id))
			c.subscribe(s.topic, 1)
			c.leave()
		}
		s.connect().publish(s.topic, "x", 2)
		for _, id := range ids {
			s.connect(durable(id)).message(s.topic, "x")
		}
	}},
	{"MQTT-4.6.0-5", all, func(s *script) {
		for _, changes := range [][]change{{}, {durable(unique("c"))}} {
			c, pub := s.connect(changes...), s.connect()
			c.subscribe(s.topic, 2)
			const n = 15 // fewer than any broker has in flight
			for qos := byte(0); qos <= 2; qos++ {
				for i := range n {
					pub.send(&mqtt.Publish{Topic: s.topic, QoS: qos, PacketID: uint16(qos) * uint16(i+1), Payload: []byte(fmt.Sprint(i))})
				}
				var got []*mqtt.Publish
				for i := range n {
					m := c.message(s.topic, fmt.Sprint(i))
					s.check(m.QoS == qos, "QoS %d", m.QoS)
					got = append(got, m)
				}
				for _, m := range got {
					c.take(m)
				}
			}
		}
	}},
}

// fresh shows that messages in flight have identifiers of their own.
func (s *script) fresh(qos byte) {
	c, pub := s.connect(), s.connect()
	c.subscribe(s.topic, qos)
	used := map[uint16]bool{}
	for i := range 20 {
		pub.publish(s.topic, fmt.Sprint(i), qos)
		m := c.message(s.topic, fmt.Sprint(i))
		s.check(m.PacketID != 0 && !used[m.PacketID], "identifier %d is in use", m.PacketID)
		used[m.PacketID] = true
	}
}
