package conformance

import (
	"fmt"
	"strings"

	"github.com/edged/edged/codec/mqtt"
)

// topicCases are of sections 4.7 to 4.9: topics, shared subscriptions and flow control.
var topicCases = []testCase{
	{"MQTT-4.7.0-1", all, func(s *script) {
		for _, bad := range []string{"+", "a/#"} {
			c := s.connect()
			c.send(packet(0x32, bad, uint16(1), s.props()))
			c.closed(mqtt.TopicNameInvalid, mqtt.MalformedPacket, mqtt.ProtocolError)
		}
	}},
	{"MQTT-4.7.1-1", all, func(s *script) {
		for _, bad := range []string{"a#", "#/a", "a/#/b", "##", "a/b#"} {
			s.badFilter(bad)
		}
		c := s.connect()
		c.subscribe(s.topic+"/#", 0)
		for _, name := range []string{"", "/", "/a", "/a/b"} { // the parent too: §4.7.1.2
			c.send(&mqtt.Publish{Topic: s.topic + name})
			c.message(s.topic+name, "")
		}
	}},
	{"MQTT-4.7.1-2", all, func(s *script) {
		for _, bad := range []string{"a+", "+a", "a/+b/c", "++", "a+/b"} {
			s.badFilter(bad)
		}
		c := s.connect()
		c.subscribe("+/"+s.topic+"/+", 0)
		for _, name := range []string{"/" + s.topic + "/", "a/" + s.topic + "/b"} {
			c.send(&mqtt.Publish{Topic: name})
			c.message(name, "")
		}
		c.send(&mqtt.Publish{Topic: "a/" + s.topic}, &mqtt.Publish{Topic: "a/" + s.topic + "/b/c"})
		c.quiet()
	}},
	{"MQTT-4.7.2-1", all, func(s *script) {
		c, sys := s.connect(), s.connect()
		for _, filter := range []string{"#", "+/#", "+/broker/#"} {
			c.subscribe(filter, 0, func(f *mqtt.Filter) { f.RetainHandling = 0 })
		}
		sys.subscribe("$SYS/#", 0)
		m := want[*mqtt.Publish](sys) // there is something to match
		s.check(strings.HasPrefix(m.Topic, "$SYS/"), "%s", show(m))
		c.publish("$dollar/"+s.topic, "x", 0)
		c.quiet()
	}},
	{"MQTT-4.7.3-1", all, func(s *script) {
		s.badFilter("")
		c := s.connect()
		c.send(packet(0x30, "", s.props()))
		c.closed(mqtt.TopicNameInvalid, mqtt.MalformedPacket, mqtt.ProtocolError)
		c = s.connect() // one character is enough, even a slash
		c.subscribe("/", 0)
		c.send(&mqtt.Publish{Topic: "/"})
		c.message("/", "")
	}},
	{"MQTT-4.7.3-2", all, func(s *script) {
		for _, b := range [][]byte{
			packet(0x32, "a\x00", uint16(1), s.props()), packet(0x82, uint16(1), s.props(), "\x00", 0), packet(0xA2, uint16(1), s.props(), "a\x00"),
		} {
			c := s.connect()
			c.send(b)
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-4.7.3-3", all, func(s *script) { // the longest there can be
		c, name := s.connect(), s.topic+strings.Repeat("x", 65535-len(s.topic))
		c.subscribe(name, 0)
		c.send(&mqtt.Publish{Topic: name, Payload: []byte("x")})
		c.message(name, "x")
	}},
	{"MQTT-4.7.3-4", all, func(s *script) {
		c := s.connect()
		c.subscribe(s.topic+"/é", 0) // composed
		for _, other := range []string{"/e\u0301", "/É", "/é/", "//é", "/ é", "/%C3%A9"} {
			c.send(&mqtt.Publish{Topic: s.topic + other})
		}
		c.quiet()
		c.send(&mqtt.Publish{Topic: s.topic + "/é"})
		c.message(s.topic+"/é", "")
	}},
	{"MQTT-4.8.2-1", v5, func(s *script) {
		s.badFilter("$share/")
		s.badFilter("$share//a")
	}},
	{"MQTT-4.8.2-2", v5, func(s *script) {
		for _, bad := range []string{"$share/g", "$share/g/", "$share/+/a", "$share/g#/a", "$share/g/a#"} {
			s.badFilter(bad)
		}
	}},
	{"MQTT-4.8.2-3", v5, func(s *script) {
		low, high, pub := s.connect(), s.connect(), s.connect()
		p := low.connack.Properties
		s.check(p.Has&mqtt.SharedSubscriptionAvailable == 0 || p.SharedSubscriptionAvailable == 1, "CONNACK denies shared subscriptions")
		low.subscribe("$share/g/"+s.topic, 0)
		high.subscribe("$share/h/"+s.topic, 1)
		pub.publish(s.topic, "m", 2)
		s.check(low.message(s.topic, "m").QoS == 0 && high.message(s.topic, "m").QoS == 1, "not at the QoS that was granted")
	}},
	{"MQTT-4.8.2-4", v5, func(s *script) {
		id := unique("c")
		c, pub := s.connect(durable(id)), s.connect()
		c.subscribe("$share/g/"+s.topic, 2)
		pub.publish(s.topic, "m", 2)
		first := c.message(s.topic, "m")
		other := s.connect()
		other.subscribe("$share/g/"+s.topic, 2)
		c.drop()
		c = s.connect(durable(id))
		m := c.message(s.topic, "m")
		s.check(m.PacketID == first.PacketID && m.Dup, "%s, first %s", show(m), show(first))
		c.take(m)
		other.quiet()
	}},
	{"MQTT-4.8.2-5", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe("$share/g/"+s.topic, 2)
		pub.publish(s.topic, "m", 2)
		c.message(s.topic, "m")
		other := s.connect()
		other.subscribe("$share/g/"+s.topic, 2)
		c.leave()
		other.quiet()
	}},
	{"MQTT-4.8.2-6", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe("$share/g/"+s.topic, 2)
		pub.publish(s.topic, "1", 1)
		pub.publish(s.topic, "2", 2)
		other := s.connect()
		other.subscribe("$share/g/"+s.topic, 2)
		c.send(&mqtt.Puback{PacketID: c.message(s.topic, "1").PacketID, Code: mqtt.UnspecifiedError})
		c.send(&mqtt.Pubrec{PacketID: c.message(s.topic, "2").PacketID, Code: mqtt.UnspecifiedError})
		c.leave()
		other.quiet()
	}},
	{"MQTT-4.9.0-1", v5, func(s *script) {
		c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.ReceiveMaximum; p.ReceiveMaximum = 3 }))
		pub := s.connect()
		c.subscribe(s.topic, 1)
		for range 5 {
			pub.publish(s.topic, "", 1)
		}
		for range 3 {
			c.message(s.topic, "")
		}
		c.quiet()
	}},
	{"MQTT-4.9.0-2", v5, func(s *script) { // one acknowledgement, one message
		c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.ReceiveMaximum; p.ReceiveMaximum = 1 }))
		pub := s.connect()
		c.subscribe(s.topic, 2)
		for i := range 6 {
			pub.publish(s.topic, fmt.Sprint(i), byte(1+i%2))
		}
		for i := range 6 {
			m := c.message(s.topic, fmt.Sprint(i))
			c.quiet()
			c.take(m)
		}
	}},
	{"MQTT-4.9.0-3", v5, func(s *script) {
		c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.ReceiveMaximum; p.ReceiveMaximum = 1 }))
		c.subscribe(s.topic, 1)
		pub := s.connect()
		pub.publish(s.topic, "1", 1)
		pub.publish(s.topic, "2", 1)
		c.message(s.topic, "1")
		c.publish(s.topic+"/a", "x", 2)
		c.unsubscribe(s.topic)
		c.subscribe(s.topic+"/a", 0)
		c.quiet()
	}},
}

// badFilter shows that the filter is refused, in SUBSCRIBE and in UNSUBSCRIBE.
func (s *script) badFilter(filter string) {
	for _, b := range [][]byte{packet(0x82, uint16(1), s.props(), filter, 0), packet(0xA2, uint16(1), s.props(), filter)} {
		c := s.connect()
		c.send(b)
		c.closed(mqtt.TopicFilterInvalid, mqtt.MalformedPacket, mqtt.ProtocolError)
	}
}
