package conformance

import (
	"github.com/edged/edged/codec/mqtt"
)

// badStrings are not well-formed UTF-8: a surrogate, an overlong form, a stray byte, beyond U+10FFFF, cut off.
var badStrings = []string{"\xed\xa0\x80", "\xc0\xaf", "a\xff", "\xf4\x90\x80\x80", "a\xe2\x82"}

// dataCases are of sections 1 and 2: how data and packets are represented.
var dataCases = []testCase{
	{"MQTT-1.5.4-1", all, func(s *script) {
		for _, bad := range badStrings {
			c := s.connect()
			c.send(packet(0x30, bad, s.props()))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-1.5.4-2", all, func(s *script) {
		c := s.connect()
		c.send(packet(0x30, "a\x00b", s.props()))
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-1.5.4-3", all, func(s *script) {
		c, name := s.connect(), "\ufeff"+s.topic
		c.subscribe(name, 0)
		c.subscribe(s.topic, 0)
		c.send(&mqtt.Publish{Topic: name})
		c.message(name, "")
		c.quiet()
	}},
	{"MQTT-1.5.5-1", all, func(s *script) {
		c := s.connect()
		c.send(bytesOf("c0 80 00"))
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-1.5.7-1", v5, func(s *script) {
		for _, pair := range [][2]string{{badStrings[0], "v"}, {"n", badStrings[0]}} {
			c := s.connect()
			props := join(0x26, pair[0], pair[1])
			c.send(packet(0x30, s.topic, len(props), props))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-2.1.3-1", all, func(s *script) {
		for _, b := range [][]byte{{0xC1, 0}, packet(0x42, uint16(1)), packet(0x5F, uint16(1)), packet(0x74, uint16(1))} {
			c := s.connect()
			c.send(b)
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-2.2.1-2", all, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic, 0)
		c.send(packet(0x30, s.topic, s.props(), 'x')) // no identifier is read from the payload, none is added
		c.message(s.topic, "x")
	}},
	{"MQTT-2.2.1-3", all, func(s *script) {
		filter := "a"
		for _, b := range [][]byte{
			packet(0x32, s.topic, uint16(0), s.props()),
			packet(0x82, uint16(0), s.props(), filter, 0),
			packet(0xA2, uint16(0), s.props(), filter),
		} {
			c := s.connect()
			c.send(b)
			c.closed(mqtt.ProtocolError, mqtt.MalformedPacket)
		}
	}},
	{"MQTT-2.2.1-4", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 2)
		used := map[uint16]bool{}
		for i := range 20 {
			pub.publish(s.topic, "", byte(1+i%2))
			m := c.message(s.topic, "")
			s.check(m.PacketID != 0 && !used[m.PacketID], "identifier %d is in use", m.PacketID)
			used[m.PacketID] = true
		}
	}},
	{"MQTT-2.2.1-5", all, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Publish{Topic: s.topic, QoS: 1, PacketID: 65535})
		s.check(want[*mqtt.Puback](c).PacketID == 65535, "PUBACK")
		c.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 258})
		s.check(want[*mqtt.Pubrec](c).PacketID == 258, "PUBREC")
		c.send(&mqtt.Pubrel{PacketID: 258})
		s.check(want[*mqtt.Pubcomp](c).PacketID == 258, "PUBCOMP")
	}},
	{"MQTT-2.2.1-6", all, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Subscribe{PacketID: 65535, Filters: []mqtt.Filter{{Filter: s.topic}}})
		s.check(want[*mqtt.Suback](c).PacketID == 65535, "SUBACK")
		c.send(&mqtt.Unsubscribe{PacketID: 258, Filters: []string{s.topic}})
		s.check(want[*mqtt.Unsuback](c).PacketID == 258, "UNSUBACK")
	}},
	{"MQTT-2.2.2-1", v5, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic, 0)
		c.send(packet(0x30, s.topic, 0, 'x'))
		m := c.message(s.topic, "x")
		s.check(m.Properties == nil, "properties %+v", m.Properties)
		c.send(packet(0x30, s.topic)) // no property length
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-2.2.2-2 of 3.1.1", v3, func(s *script) {
		c := s.connect()
		c.send([]byte{0xC1, 0})
		c.closed()
	}},
}
