package conformance

import (
	"slices"
	"strings"

	"github.com/edged/edged/codec/mqtt"
)

// subscribeCases are of sections 3.8 to 3.11.
var subscribeCases = []testCase{
	{"MQTT-3.8.1-1", all, func(s *script) {
		for _, first := range []byte{0x80, 0x81, 0x83, 0x86} {
			c := s.connect()
			c.send(packet(first, uint16(1), s.props(), s.topic, 0))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"DUP in 3.1", v31, func(s *script) { // §2.1: SUBSCRIBE, UNSUBSCRIBE and PUBREL may be sent again, and say so
		c := s.connect()
		c.send(packet(0x8A, uint16(1), s.topic, 0))
		want[*mqtt.Suback](c)
		c.send(packet(0xAA, uint16(2), s.topic))
		want[*mqtt.Unsuback](c)
		c.send(packet(0x6A, uint16(3)))
		want[*mqtt.Pubcomp](c)
	}},
	{"MQTT-3.8.3-1", all, func(s *script) {
		for _, bad := range append(badStrings, "a\x00b") {
			c := s.connect()
			c.send(packet(0x82, uint16(1), s.props(), bad, 0))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-3.8.3-2", all, func(s *script) {
		c := s.connect()
		c.send(packet(0x82, uint16(1), s.props()))
		c.closed(mqtt.ProtocolError, mqtt.MalformedPacket)
	}},
	{"MQTT-3.8.3-3", v5, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic, 1, func(f *mqtt.Filter) { f.NoLocal = true })
		c.publish(s.topic, "mine", 1)
		c.quiet()
		s.connect().publish(s.topic, "other", 1)
		c.message(s.topic, "other")
	}},
	{"MQTT-3.8.3-4", v5, func(s *script) {
		c := s.connect()
		c.send(packet(0x82, uint16(1), 0, "$share/g/"+s.topic, 4))
		c.closed(mqtt.ProtocolError)
	}},
	{"MQTT-3.8.3-5", all, func(s *script) { // MQTT-3-8.3-4 of 3.1.1: all but the QoS is reserved there
		bad := []int{0x40, 0x80}
		if s.version != mqtt.V5 {
			bad = []int{0x04, 0x08, 0x10, 0x20, 0x40, 0x80}
		}
		for _, options := range bad {
			c := s.connect()
			c.send(packet(0x82, uint16(1), s.props(), s.topic, options))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"QoS 3 and retain handling 3", all, func(s *script) { // §3.8.3.1
		for _, options := range []int{3, 0x30} {
			c := s.connect()
			c.send(packet(0x82, uint16(1), s.props(), s.topic, options))
			c.closed(mqtt.ProtocolError, mqtt.MalformedPacket)
		}
	}},
	{"MQTT-3.8.4-1", all, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: s.topic}}})
		want[*mqtt.Suback](c)
	}},
	{"MQTT-3.8.4-2", all, func(s *script) {
		c := s.connect()
		for _, id := range []uint16{1, 258, 65535} {
			c.send(&mqtt.Subscribe{PacketID: id, Filters: []mqtt.Filter{{Filter: s.topic}}})
			s.check(want[*mqtt.Suback](c).PacketID == id, "not %d", id)
		}
	}},
	{"MQTT-3.8.4-3", all, func(s *script) {
		for _, changes := range [][]change{{}, {durable(unique("c"))}} {
			c, pub := s.connect(changes...), s.connect()
			for _, qos := range []byte{2, 0, 1} {
				c.subscribe(s.topic, qos)
				pub.publish(s.topic, "x", 2)
				m := c.message(s.topic, "x")
				s.check(m.QoS == qos, "QoS %d, expected %d", m.QoS, qos)
				c.take(m)
				c.quiet() // one copy
			}
		}
	}},
	{"MQTT-3.8.4-4", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		pub.publish(s.topic, "kept", 1, retained)
		c.subscribe(s.topic, 1)
		c.take(c.message(s.topic, "kept"))
		pub.publish(s.topic, "between", 1)
		c.subscribed(s.topic, 1, "between", "kept")
	}},
	{"MQTT-3.8.4-5", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		codes := c.filters(nil, mqtt.Filter{Filter: s.topic + "/a"}, mqtt.Filter{Filter: s.topic + "/b", QoS: 2}, mqtt.Filter{Filter: s.topic + "/a", QoS: 1})
		s.check(slices.Equal(codes, []mqtt.ReasonCode{0, 2, 1}), "%v", codes)
		pub.publish(s.topic+"/a", "x", 2)
		m := c.message(s.topic+"/a", "x")
		s.check(m.QoS == 1, "QoS %d: the last subscription counts", m.QoS)
		c.quiet()
	}},
	{"MQTT-3.8.4-6", all, func(s *script) {
		c := s.connect()
		var filters []mqtt.Filter
		for range 100 {
			filters = append(filters, mqtt.Filter{Filter: unique(s.topic + "/"), QoS: 1})
		}
		codes := c.filters(nil, filters...)
		s.check(len(codes) == 100, "%d codes", len(codes))
	}},
	{"MQTT-3.8.4-7", all, func(s *script) {
		c := s.connect()
		for qos := byte(0); qos <= 2; qos++ {
			c.subscribe(s.topic, qos)
		}
	}},
	{"MQTT-3.8.4-8", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		for granted := byte(0); granted <= 2; granted++ {
			c.subscribe(s.topic, granted)
			for qos := byte(0); qos <= 2; qos++ {
				pub.publish(s.topic, "x", qos)
				m := c.message(s.topic, "x")
				s.check(m.QoS == min(qos, granted), "published with %d, granted %d: got %d", qos, granted, m.QoS)
				c.take(m)
			}
		}
	}},
	{"MQTT-3.9.2-1", v5, func(s *script) {
		c := s.connect(atMost(30))
		codes := c.filters(nil, mqtt.Filter{Filter: "$share/g/a"}, mqtt.Filter{Filter: "a"})
		s.check(len(codes) == 2, "%v", codes)
	}},
	{"MQTT-3.9.3-1", v5, func(s *script) {
		c := s.connect()
		codes := c.filters(nil, mqtt.Filter{Filter: s.topic + "/2", QoS: 2}, mqtt.Filter{Filter: "$share/g/a"}, mqtt.Filter{Filter: s.topic + "/0"}, mqtt.Filter{Filter: s.topic + "/1", QoS: 1})
		s.check(codes[0] == 2 && codes[2] == 0 && codes[3] == 1 && len(codes) == 4, "%v", codes)
	}},
	{"MQTT-3.9.3-2 of 3.1.1", v311, func(s *script) { // the codec knows no others; a filter that no broker has to hold is refused
		c := s.connect()
		codes := c.filters(nil, mqtt.Filter{Filter: "a" + strings.Repeat("/a", 30000)}, mqtt.Filter{Filter: s.topic, QoS: 2})
		s.check((codes[0] == 0 || codes[0] == mqtt.UnspecifiedError) && codes[1] == 2, "%v", codes)
	}},
	{"MQTT-3.10.1-1", all, func(s *script) {
		for _, first := range []byte{0xA0, 0xA1, 0xA3, 0xA6} {
			c := s.connect()
			c.send(packet(first, uint16(1), s.props(), s.topic))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-3.10.3-1", all, func(s *script) {
		for _, bad := range append(badStrings, "a\x00b") {
			c := s.connect()
			c.send(packet(0xA2, uint16(1), s.props(), bad))
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-3.10.3-2", all, func(s *script) {
		c := s.connect()
		c.send(packet(0xA2, uint16(1), s.props()))
		c.closed(mqtt.ProtocolError, mqtt.MalformedPacket)
	}},
	{"MQTT-3.10.4-1", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic+"/+", 0)
		for _, other := range []string{s.topic + "/a", s.topic + "/#", s.topic + "/+/"} { // match, but are not the same
			c.unsubscribe(other)
		}
		pub.publish(s.topic+"/a", "x", 0)
		c.message(s.topic+"/a", "x")
		c.unsubscribe(s.topic + "/+")
		pub.publish(s.topic+"/a", "y", 0)
		c.quiet()
	}},
	{"MQTT-3.10.4-2", all, func(s *script) {
		for _, changes := range [][]change{{}, {durable(unique("c"))}} {
			c, pub := s.connect(changes...), s.connect()
			c.subscribe(s.topic, 1)
			c.subscribe(s.topic+"/mark", 1)
			pub.publish(s.topic, "1", 1)
			c.take(c.message(s.topic, "1"))
			c.unsubscribe(s.topic)
			pub.publish(s.topic, "2", 1)
			pub.publish(s.topic+"/mark", "", 1)
			c.message(s.topic+"/mark", "")
		}
	}},
	{"MQTT-3.10.4-3", all, func(s *script) {
		id := unique("c")
		c, pub := s.connect(durable(id)), s.connect()
		c.subscribe(s.topic, 2)
		pub.publish(s.topic, "1", 1)
		pub.publish(s.topic, "2", 2)
		one, two := c.message(s.topic, "1"), c.message(s.topic, "2")
		c.send(&mqtt.Puback{PacketID: one.PacketID})
		c.unsubscribe(s.topic)
		c.take(two)
		c.quiet()
	}},
	{"MQTT-3.10.4-4", all, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic, 0)
		c.send(&mqtt.Unsubscribe{PacketID: 77, Filters: []string{s.topic}})
		s.check(want[*mqtt.Unsuback](c).PacketID == 77, "identifier")
	}},
	{"MQTT-3.10.4-5", all, func(s *script) {
		ack := s.connect().unsubscribe("nobody/" + s.topic)
		if s.version == mqtt.V5 {
			s.check(len(ack.Codes) == 1 && ack.Codes[0] == mqtt.NoSubscriptionExisted, "%v", ack.Codes)
		}
	}},
	{"MQTT-3.10.4-6", all, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic+"/a", 0)
		c.subscribe(s.topic+"/b", 0)
		c.unsubscribe(s.topic+"/a", s.topic+"/none", s.topic+"/b", s.topic+"/a")
		pub.publish(s.topic+"/a", "x", 0)
		pub.publish(s.topic+"/b", "x", 0)
		c.quiet()
	}},
	{"MQTT-3.11.2-1", v5, func(s *script) {
		c := s.connect(atMost(30))
		c.unsubscribe("a", "b")
	}},
	{"MQTT-3.11.3-1", v5, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic+"/a", 0)
		c.subscribe(s.topic+"/b", 0)
		ack := c.unsubscribe(s.topic+"/a", s.topic+"/none", s.topic+"/b", s.topic+"/a")
		s.check(slices.Equal(ack.Codes, []mqtt.ReasonCode{0, mqtt.NoSubscriptionExisted, 0, mqtt.NoSubscriptionExisted}), "%v", ack.Codes)
	}},
}

// subscribed subscribes and expects SUBACK and these QoS 1 messages, in any order.
func (p *peer) subscribed(filter string, qos byte, payloads ...string) {
	p.send(&mqtt.Subscribe{PacketID: p.newID(), Filters: []mqtt.Filter{{Filter: filter, QoS: qos}}})
	var got []string
	for suback := false; !suback || len(got) < len(payloads); {
		x, err := p.next()
		p.s.check(err == nil, "%v; got %q so far", err, got)
		switch x := x.(type) {
		case *mqtt.Suback:
			suback = true
		case *mqtt.Publish:
			got = append(got, string(x.Payload))
			p.send(&mqtt.Puback{PacketID: x.PacketID})
		default:
			p.s.failf("got %s", show(x))
		}
	}
	p.quiet()
	p.s.check(slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(payloads))), "got %q, expected %q", got, payloads)
}
