package conformance

import (
	"bytes"
	"slices"

	"github.com/edged/edged/codec/mqtt"
)

// publishCases are of sections 3.3.1 and 3.3.2, but for the properties; those are in property_test.go.
var publishCases = []testCase{
	{"MQTT-3.3.1-1", all, func(s *script) {
		for qos := byte(1); qos <= 2; qos++ {
			id := unique("c")
			c := s.connect(durable(id))
			c.subscribe(s.topic, qos)
			s.connect().publish(s.topic, "x", qos)
			s.check(!c.message(s.topic, "x").Dup, "DUP the first time")
			c.drop()
			c = s.connect(durable(id))
			m := c.message(s.topic, "x")
			s.check(m.Dup, "no DUP the second time")
			c.take(m)
			c.unsubscribe(s.topic)
		}
	}},
	{"MQTT-3.3.1-2", all, func(s *script) {
		c := s.connect()
		c.send(packet(0x38, s.topic, s.props()))
		c.closed(mqtt.MalformedPacket, mqtt.ProtocolError)
	}},
	{"MQTT-3.3.1-3", all, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic, 1)
		pub := s.connect()
		pub.publish(s.topic, "x", 1, func(m *mqtt.Publish) { m.Dup = true })
		s.check(!c.message(s.topic, "x").Dup, "DUP was passed on")
	}},
	{"MQTT-3.3.1-4", all, func(s *script) {
		c := s.connect()
		c.send(packet(0x36, s.topic, uint16(1), s.props()))
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-3.3.1-5", all, func(s *script) {
		pub := s.connect()
		for qos, payload := range []string{"0", "1", "2"} {
			pub.publish(s.topic, payload, byte(qos), retained)
		}
		c := s.connect()
		c.subscribe(s.topic, 2)
		m := c.message(s.topic, "2")
		s.check(m.Retain && m.QoS == 2, "%s", show(m))
		c.quiet()
	}},
	{"MQTT-3.3.1-6", all, func(s *script) {
		pub, live := s.connect(), s.connect()
		live.subscribe(s.topic, 0)
		pub.publish(s.topic, "x", 0, retained)
		live.message(s.topic, "x")
		pub.publish(s.topic, "", 0, retained)
		s.check(!live.message(s.topic, "").Retain, "RETAIN")
		late := s.connect()
		late.subscribe(s.topic, 0)
		late.quiet()
	}},
	{"MQTT-3.3.1-7", all, func(s *script) {
		pub := s.connect()
		for qos := byte(0); qos <= 2; qos++ {
			pub.publish(s.topic, "", qos, retained)
		}
		c := s.connect()
		c.subscribe(s.topic, 0)
		c.quiet()
	}},
	{"MQTT-3.3.1-8", all, func(s *script) {
		pub := s.connect()
		pub.publish(s.topic, "kept", 1, retained)
		pub.publish(s.topic, "other", 1)
		pub.publish(s.topic, "", 1)
		c := s.connect()
		c.subscribe(s.topic, 1)
		c.message(s.topic, "kept")
	}},
	{"MQTT-3.3.1-9", v5, func(s *script) {
		c := s.connect()
		c.publish(s.topic, "x", 1, retained)
		for range 2 {
			c.subscribe(s.topic, 0, handling(0))
			s.check(c.message(s.topic, "x").Retain, "RETAIN is not set")
		}
	}},
	{"MQTT-3.3.1-10", v5, func(s *script) {
		c := s.connect()
		c.publish(s.topic, "x", 1, retained)
		c.subscribe(s.topic, 0, handling(1))
		s.check(c.message(s.topic, "x").Retain, "RETAIN is not set")
		c.subscribe(s.topic, 0, handling(1))
		c.quiet()
	}},
	{"MQTT-3.3.1-11", v5, func(s *script) {
		c := s.connect()
		c.publish(s.topic, "x", 1, retained)
		c.subscribe(s.topic, 0, handling(2))
		c.quiet()
	}},
	{"MQTT-3.3.1-12", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 0)
		pub.publish(s.topic, "x", 1, retained)
		s.check(!c.message(s.topic, "x").Retain, "RETAIN was passed on")
	}},
	{"MQTT-3.3.1-13", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 0, func(f *mqtt.Filter) { f.RetainAsPublished = true })
		pub.publish(s.topic, "x", 1, retained)
		s.check(c.message(s.topic, "x").Retain, "RETAIN was not passed on")
		pub.publish(s.topic, "y", 1)
		s.check(!c.message(s.topic, "y").Retain, "RETAIN was made up")
	}},
	{"MQTT-3.3.1-8 of 3.1.1", v3, func(s *script) {
		c := s.connect()
		c.publish(s.topic, "x", 1, retained)
		for range 2 {
			c.subscribe(s.topic, 0)
			s.check(c.message(s.topic, "x").Retain, "RETAIN is not set")
		}
	}},
	{"MQTT-3.3.2-1", all, func(s *script) {
		for _, bad := range badStrings {
			c := s.connect()
			c.send(packet(0x30, bad, s.props()))
			c.closed(mqtt.MalformedPacket)
		}
		c := s.connect()
		c.send(packet(0x30, 0)) // no room for a topic
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-3.3.2-2", all, func(s *script) {
		for _, bad := range []string{"#", "+", "a/+/b", "a#", "a/#"} {
			c := s.connect()
			c.send(packet(0x30, bad, s.props()))
			c.closed(mqtt.TopicNameInvalid, mqtt.MalformedPacket, mqtt.ProtocolError)
		}
	}},
	{"MQTT-3.3.2-3", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic+"/+/x/#", 0)
		for _, name := range []string{"/a/y", "/a/b/x", "", "/x"} {
			pub.publish(s.topic+name, "", 0)
		}
		for _, name := range []string{"/a/x", "//x", "/a/x/b/c", "/a/x/"} {
			pub.publish(s.topic+name, "", 0)
			c.message(s.topic+name, "")
		}
		c.quiet()
	}},
	{"MQTT-3.3.4-1", all, func(s *script) {
		c := s.connect()
		for qos := byte(0); qos <= 2; qos++ {
			c.publish(s.topic, "x", qos)
		}
		c.quiet()
	}},
	{"MQTT-3.3.4-2", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		for qos, filter := range []string{s.topic, s.topic + "/#", s.topic + "/+"} {
			c.subscribe(filter, byte(qos))
		}
		pub.publish(s.topic+"/x", "x", 2)
		m := c.message(s.topic+"/x", "x")
		s.check(m.QoS == 2, "QoS %d", m.QoS)
		c.take(m)
		pub.publish(s.topic, "y", 2) // matches the two of QoS 0 and 1
		m = c.message(s.topic, "y")
		s.check(m.QoS == 1, "QoS %d", m.QoS)
	}},
	{"MQTT-3.3.4-3", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.filters(identifier(268435455), mqtt.Filter{Filter: s.topic})
		c.subscribe(s.topic+"/#", 0)
		pub.publish(s.topic, "x", 1)
		s.identifiers(c.message(s.topic, "x"), 268435455)
	}},
	{"MQTT-3.3.4-4", v5, func(s *script) { // one copy; MQTT-3.3.4-5 is for servers that send more
		c, pub := s.connect(), s.connect()
		for i, filter := range []string{s.topic, s.topic + "/#", "+/" + s.topic[2:], "#"} {
			c.filters(identifier(uint32(i+1)), mqtt.Filter{Filter: filter, QoS: 1})
		}
		pub.publish(s.topic, "x", 1)
		s.identifiers(c.message(s.topic, "x"), 1, 2, 3, 4)
		c.quiet()
	}},
	{"MQTT-3.3.4-6", v5, func(s *script) {
		c := s.connect()
		c.send(packet(0x30, s.topic, 2, 0x0B, 1))
		c.closed(mqtt.ProtocolError, mqtt.MalformedPacket)
	}},
	{"MQTT-3.3.4-7", v5, func(s *script) { // a client that sends more than the receive maximum
		c := s.connect()
		maximum := uint16(65535)
		if p := c.connack.Properties; p.Has&mqtt.ReceiveMaximum != 0 {
			maximum = p.ReceiveMaximum
		}
		for id := uint16(1); id <= maximum; id++ {
			c.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: id})
			want[*mqtt.Pubrec](c)
		}
		c.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: maximum + 1})
		c.closed(mqtt.ReceiveMaximumExceeded)
	}},
	{"MQTT-3.3.4-9", v5, func(s *script) {
		for _, id := range []string{"", unique("c")} { // without a session and with one
			c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.ReceiveMaximum; p.ReceiveMaximum = 2 }), func(c *mqtt.Connect) {
				if id != "" {
					durable(id)(c)
				}
			})
			pub := s.connect()
			c.subscribe(s.topic, 2)
			for _, payload := range []string{"1", "2", "3", "4"} {
				pub.publish(s.topic, payload, 2)
			}
			first, second := c.message(s.topic, "1"), c.message(s.topic, "2")
			c.send(&mqtt.Pubrec{PacketID: first.PacketID}) // counts until PUBCOMP
			want[*mqtt.Pubrel](c)
			c.quiet()
			c.send(&mqtt.Pubrec{PacketID: second.PacketID, Code: mqtt.UnspecifiedError}) // does not count any more
			c.message(s.topic, "3")
			c.quiet()
			c.send(&mqtt.Pubcomp{PacketID: first.PacketID})
			c.message(s.topic, "4")
			c.drop()
		}
	}},
	{"MQTT-3.3.4-10", v5, func(s *script) { // other packets are not held up
		c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.ReceiveMaximum; p.ReceiveMaximum = 1 }))
		c.subscribe(s.topic, 1)
		pub := s.connect()
		pub.publish(s.topic, "1", 1)
		pub.publish(s.topic, "2", 1)
		m := c.message(s.topic, "1")
		c.quiet()
		c.subscribe(s.topic+"/other", 0)
		c.publish(s.topic+"/other", "x", 0, func(m *mqtt.Publish) { m.Topic += "/nobody" })
		c.publish(s.topic+"/nobody", "x", 2)
		pub.publish(s.topic+"/other", "QoS 0", 0)
		c.message(s.topic+"/other", "QoS 0")
		c.take(m)
		c.message(s.topic, "2")
	}},
	{"MQTT-3.3.5-2 of 3.1.1", v3, func(s *script) { // not authorised: acknowledged all the same, or the end
		for qos := byte(0); qos <= 2; qos++ {
			w, c := s.connect(), s.connect()
			w.subscribe("$SYS/conformance", 0)
			c.send(&mqtt.Publish{Topic: "$SYS/conformance", QoS: qos, PacketID: uint16(qos)}, &mqtt.Pingreq{})
			if p, err := c.next(); err == nil {
				switch p.(type) {
				case *mqtt.Puback, *mqtt.Pubrec, *mqtt.Pingresp:
				default:
					s.failf("got %s", show(p))
				}
			}
			w.quiet()
		}
	}},
}

func handling(n byte) func(*mqtt.Filter) { return func(f *mqtt.Filter) { f.RetainHandling = n } }

func identifier(n uint32) *mqtt.Properties {
	return &mqtt.Properties{SubscriptionIdentifiers: []uint32{n}}
}

// identifiers checks the subscription identifiers of a message, whose order does not count.
func (s *script) identifiers(m *mqtt.Publish, expected ...uint32) {
	var got []uint32
	if m.Properties != nil {
		got = slices.Sorted(slices.Values(m.Properties.SubscriptionIdentifiers))
	}
	s.check(slices.Equal(got, expected), "subscription identifiers %v, expected %v", got, expected)
}

// sameProperties compares what must travel unaltered.
func sameProperties(a, b *mqtt.Properties) bool {
	return a != nil && b != nil && a.Has == b.Has && a.PayloadFormatIndicator == b.PayloadFormatIndicator && a.ContentType == b.ContentType &&
		a.ResponseTopic == b.ResponseTopic && bytes.Equal(a.CorrelationData, b.CorrelationData) && slices.Equal(a.User, b.User)
}
