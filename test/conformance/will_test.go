package conformance

import (
	"github.com/edged/edged/codec/mqtt"
)

// willCases are those of section 3.1 that concern the will.
var willCases = []testCase{
	{"MQTT-3.1.2-8", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 2)
		for qos := byte(0); qos <= 2; qos++ {
			s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("gone"), QoS: qos})).drop()
			m := w.message(s.topic, "gone")
			s.check(m.QoS == qos && !m.Retain, "%s", show(m))
			w.take(m)
		}
		bad := s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("thrown out")}))
		bad.send([]byte{0xC1, 0})
		bad.closed(mqtt.MalformedPacket)
		w.message(s.topic, "thrown out")
	}},
	{"MQTT-3.1.2-9", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(6))
		c.malformed()
		c = s.dial(0)
		c.send(s.rawConnect(6, s.props(), "topic"))
		c.malformed()
	}},
	{"MQTT-3.1.2-10", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		id := unique("c")
		s.connect(durable(id), willed(mqtt.Will{Topic: s.topic, Payload: []byte("1")})).leave() // removed by DISCONNECT
		s.connect(durable(id)).drop()
		s.connect(durable(id), willed(mqtt.Will{Topic: s.topic, Payload: []byte("2")})).drop() // removed when published
		w.message(s.topic, "2")
		c := s.connect(durable(id))
		c.send([]byte{0xC1, 0})
		c.closed(mqtt.MalformedPacket)
		w.quiet()
	}},
	{"MQTT-3.1.2-11", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x0A))
		c.malformed()
	}},
	{"MQTT-3.1.2-12", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x1E, s.props(), "topic", "gone"))
		c.malformed()
	}},
	{"MQTT-3.1.2-13", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x22))
		c.malformed()
	}},
	{"MQTT-3.1.2-14", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("gone")})).drop()
		w.message(s.topic, "gone")
		late := s.connect()
		late.subscribe(s.topic, 0)
		late.quiet()
	}},
	{"MQTT-3.1.2-15", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("gone"), Retain: true, QoS: 1})).drop()
		w.message(s.topic, "gone")
		late := s.connect()
		late.subscribe(s.topic, 0)
		s.check(late.message(s.topic, "gone").Retain, "RETAIN is not set")
		w.publish(s.topic, "", 0, func(m *mqtt.Publish) { m.Topic += "/not"; m.Retain = true })
	}},
	{"MQTT-3.1.2-12 of 3.1.1", v3, func(s *script) {
		s.start() // of its own: everything is watched
		w := s.connect()
		w.subscribe("#", 0)
		s.connect().leave()
		w.quiet()
	}},
	{"MQTT-3.1.3-9", v5, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		id := unique("c")
		s.connect(durable(id), willed(mqtt.Will{Topic: s.topic, Properties: &mqtt.Properties{Has: mqtt.WillDelayInterval, WillDelayInterval: 100}})).drop()
		back := s.connect(durable(id))
		s.check(back.connack.SessionPresent, "no session")
		w.quiet()
	}},
	{"will delay interval", v5, func(s *script) { // §3.1.3.2.2: not before it has passed; the session's end counts too
		w := s.connect()
		w.subscribe(s.topic, 0)
		delayed := &mqtt.Properties{Has: mqtt.WillDelayInterval, WillDelayInterval: 1}
		c := s.connect(durable(unique("c")), willed(mqtt.Will{Topic: s.topic, Payload: []byte("gone"), Properties: delayed}))
		c.drop()
		s.connect().publish(s.topic, "before", 1)
		w.message(s.topic, "before")
		w.message(s.topic, "gone")
	}},
	{"MQTT-3.1.3-10", v5, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		user := []mqtt.UserProperty{{Name: "b", Value: "1"}, {Name: "a", Value: "2"}, {Name: "b", Value: "0"}}
		s.connect(willed(mqtt.Will{Topic: s.topic, Properties: &mqtt.Properties{User: user, Has: mqtt.ContentType, ContentType: "text"}})).drop()
		m := w.message(s.topic, "")
		s.check(m.Properties != nil && len(m.Properties.User) == 3 && m.Properties.ContentType == "text", "%+v", m.Properties)
		for i, u := range user {
			s.check(m.Properties.User[i] == u, "%+v", m.Properties.User)
		}
	}},
	{"MQTT-3.1.3-11", all, func(s *script) {
		for _, bad := range append(badStrings, "a\x00b") {
			c := s.dial(0)
			c.send(s.rawConnect(6, s.props(), bad, "gone"))
			c.malformed()
		}
	}},
}
