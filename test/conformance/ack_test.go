package conformance

import (
	"github.com/edged/edged/codec/mqtt"
)

// ackCases are of sections 3.4 to 3.7. That reason codes are those of their packet is checked by the codec too.
var ackCases = []testCase{
	{"MQTT-3.4.2-1", v5, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Publish{Topic: s.topic, QoS: 1, PacketID: 1})
		code := want[*mqtt.Puback](c).Code
		s.check(code == mqtt.Success || code == mqtt.NoMatchingSubscribers, "%v", code)
		c.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 1, PacketID: 2})
		code = want[*mqtt.Puback](c).Code
		s.check(code == mqtt.NotAuthorized || code == mqtt.TopicNameInvalid, "publish to $SYS: %v", code)
	}},
	{"MQTT-3.4.2-2", v5, func(s *script) { // the acknowledgement comes, with what there is room for
		c := s.connect(atMost(30))
		c.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 1, PacketID: 1}, &mqtt.Pingreq{})
		ack := want[*mqtt.Puback](c)
		s.check(ack.PacketID == 1 && ack.Code.Failed(), "%s", show(ack))
	}},
	{"MQTT-3.5.2-1", v5, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Publish{Topic: s.topic, QoS: 2, PacketID: 1})
		code := want[*mqtt.Pubrec](c).Code
		s.check(code == mqtt.Success || code == mqtt.NoMatchingSubscribers, "%v", code)
		c.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 2, PacketID: 2})
		code = want[*mqtt.Pubrec](c).Code
		s.check(code == mqtt.NotAuthorized || code == mqtt.TopicNameInvalid, "publish to $SYS: %v", code)
	}},
	{"MQTT-3.5.2-2", v5, func(s *script) {
		c := s.connect(atMost(30))
		c.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 2, PacketID: 1}, &mqtt.Pingreq{})
		ack := want[*mqtt.Pubrec](c)
		s.check(ack.PacketID == 1 && ack.Code.Failed(), "%s", show(ack))
	}},
	{"MQTT-3.6.1-1", all, func(s *script) {
		for _, first := range []byte{0x60, 0x61, 0x63, 0x66} {
			c := s.connect()
			c.send(packet(first, uint16(1)))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-3.6.2-1", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 2)
		pub.publish(s.topic, "x", 2)
		m := c.message(s.topic, "x")
		c.send(&mqtt.Pubrec{PacketID: m.PacketID})
		rel := want[*mqtt.Pubrel](c)
		s.check(rel.Code == mqtt.Success, "%v", rel.Code)
		c.send(&mqtt.Pubrec{PacketID: m.PacketID + 1})
		rel = want[*mqtt.Pubrel](c)
		s.check(rel.PacketID == m.PacketID+1 && rel.Code == mqtt.PacketIdentifierNotFound, "%s", show(rel))
	}},
	{"MQTT-3.6.2-2", v5, func(s *script) {
		c := s.connect(atMost(30))
		c.send(&mqtt.Pubrec{PacketID: 1})
		rel := want[*mqtt.Pubrel](c)
		s.check(rel.Code == mqtt.PacketIdentifierNotFound, "%s", show(rel))
	}},
	{"MQTT-3.7.2-1", v5, func(s *script) {
		c := s.connect()
		c.publish(s.topic, "x", 2) // expects success
		c.send(&mqtt.Pubrel{PacketID: 9})
		comp := want[*mqtt.Pubcomp](c)
		s.check(comp.PacketID == 9 && comp.Code == mqtt.PacketIdentifierNotFound, "%s", show(comp))
	}},
	{"MQTT-3.7.2-2", v5, func(s *script) {
		c := s.connect(atMost(30))
		c.send(&mqtt.Pubrel{PacketID: 1})
		comp := want[*mqtt.Pubcomp](c)
		s.check(comp.Code == mqtt.PacketIdentifierNotFound, "%s", show(comp))
	}},
	{"reason codes of the client's acknowledgements", v5, func(s *script) { // no packet may carry another's
		for _, b := range [][]byte{
			packet(0x40, uint16(1), 0x18), packet(0x50, uint16(1), 0x92), packet(0x62, uint16(1), 0x10), packet(0x70, uint16(1), 0x80),
		} {
			c := s.connect()
			c.send(b)
			c.closed(mqtt.MalformedPacket, mqtt.ProtocolError)
		}
	}},
}
