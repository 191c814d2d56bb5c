package conformance

import (
	"github.com/edged/edged/codec/mqtt"
)

// sessionCases are those of sections 3.1 and 4.1 that concern the session and the network connection.
var sessionCases = []testCase{
	{"MQTT-3.1.2-4", all, func(s *script) {
		id := unique("c")
		old := s.connect(durable(id))
		old.subscribe(s.topic, 1)
		old.leave()
		pub := s.connect()
		pub.publish(s.topic, "1", 1)
		c := s.connect(named(id))
		s.check(!c.connack.SessionPresent, "session present")
		pub.publish(s.topic, "2", 1)
		c.quiet()
		c.leave()
		s.check(!s.connect(durable(id)).connack.SessionPresent, "the clean session outlived its connection")
	}},
	{"MQTT-3.1.2-5", all, func(s *script) {
		id := unique("c")
		old := s.connect(durable(id))
		old.subscribe(s.topic, 1)
		old.leave()
		c := s.connect(durable(id))
		s.check(c.connack.SessionPresent == (s.version != mqtt.V31), "session present is %v", c.connack.SessionPresent)
		s.connect().publish(s.topic, "x", 1)
		c.message(s.topic, "x")
	}},
	{"MQTT-3.1.2-6", all, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		s.check(!c.connack.SessionPresent, "session present")
		c.leave()
		c = s.connect(durable(id))
		s.check(c.connack.SessionPresent == (s.version != mqtt.V31), "session present is %v", c.connack.SessionPresent)
	}},
	{"MQTT-3.1.2-7 of 3.1.1", v3, func(s *script) { // retained messages stay when the session ends
		c := s.connect()
		c.publish(s.topic, "x", 1, retained)
		c.leave()
		c = s.connect()
		c.subscribe(s.topic, 0)
		c.message(s.topic, "x")
	}},
	{"MQTT-3.1.2-22", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		c := s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("silent")}), func(c *mqtt.Connect) { c.KeepAlive = 1 })
		c.closed(mqtt.KeepAliveTimeout)
		w.message(s.topic, "silent")
	}},
	{"MQTT-3.1.2-23", all, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 2)
		c.drop()
		pub := s.connect()
		pub.publish(s.topic, "1", 1)
		pub.publish(s.topic, "2", 2)
		c = s.connect(durable(id))
		c.take(c.message(s.topic, "1"))
		c.take(c.message(s.topic, "2"))
		c.quiet()
	}},
	{"MQTT-3.1.3-2", all, func(s *script) {
		a, b := unique("c"), unique("c")
		c := s.connect(durable(a))
		c.subscribe(s.topic, 1)
		c.leave()
		s.connect().publish(s.topic, "x", 1)
		other := s.connect(durable(b))
		s.check(!other.connack.SessionPresent, "session present")
		other.quiet()
		s.connect(durable(a)).message(s.topic, "x")
	}},
	{"MQTT-3.1.4-3", all, func(s *script) {
		id := unique("c")
		old := s.connect(durable(id))
		old.subscribe(s.topic, 1)
		c := s.connect(durable(id))
		old.closed(mqtt.SessionTakenOver)
		s.check(c.connack.SessionPresent == (s.version != mqtt.V31), "session present is %v", c.connack.SessionPresent)
		s.connect().publish(s.topic, "x", 1)
		c.message(s.topic, "x")
	}},
	{"takeover publishes the will", all, func(s *script) { // §3.1.4: as for any end of the connection
		w := s.connect()
		w.subscribe(s.topic, 0)
		old := s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("taken")}))
		s.connect(named(old.id))
		w.message(s.topic, "taken")
	}},
	{"MQTT-4.1.0-1", v5, func(s *script) { // the expiry interval does not run while the connection is open
		c := s.connect(named(unique("c")), expiring(1))
		c.subscribe(s.topic, 1)
		s.wait()
		c.quiet()
		s.connect().publish(s.topic, "x", 1)
		c.message(s.topic, "x")
		c.drop()
		c = s.connect(named(c.id), expiring(1), keep)
		s.check(c.connack.SessionPresent, "no session")
	}},
	{"MQTT-4.1.0-2", v5, func(s *script) {
		c := s.connect(expiring(1))
		c.subscribe(s.topic, 1)
		c.leave()
		s.wait()
		s.connect().publish(s.topic, "x", 1)
		c = s.connect(named(c.id), keep)
		s.check(!c.connack.SessionPresent, "the session did not expire")
		c.quiet()
	}},
	{"session expiry interval in DISCONNECT", v5, func(s *script) { // §3.14.2.2.2
		c := s.connect(expiring(1000))
		c.send(&mqtt.Disconnect{Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval}})
		c.ended()
		s.check(!s.connect(named(c.id), keep).connack.SessionPresent, "session present")
		c = s.connect() // without an expiry it cannot be given one
		c.send(&mqtt.Disconnect{Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 5}})
		c.closed(mqtt.ProtocolError)
	}},
	{"MQTT-4.2.0-1", all, func(s *script) { // a stream has no packet boundaries
		c := s.dial(0)
		for _, b := range join(s.rawConnect(2), packet(0x82, uint16(1), s.props(), s.topic, 0), packet(0x30, s.topic, s.props(), 'x')) {
			c.send([]byte{b})
		}
		c.accepted()
		want[*mqtt.Suback](c)
		c.message(s.topic, "x")
		c.send(join([]byte{0xC0, 0}, packet(0x30, s.topic, s.props(), 'y'), []byte{0xC0, 0}))
		want[*mqtt.Pingresp](c)
		c.message(s.topic, "y")
		want[*mqtt.Pingresp](c)
	}},
}

func expiring(seconds uint32) change {
	return with(func(p *mqtt.Properties) { p.Has |= mqtt.SessionExpiryInterval; p.SessionExpiryInterval = seconds })
}

// keep asks for the session that is there.
func keep(c *mqtt.Connect) { c.CleanStart = false }
