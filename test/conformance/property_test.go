package conformance

import (
	"strings"

	"github.com/edged/edged/codec/mqtt"
)

// propertyCases are of section 3.3.2.3, the properties of PUBLISH, and of CONNECT's maximum packet size.
var propertyCases = []testCase{
	{"MQTT-3.1.2-24", v5, func(s *script) { // the client refuses what is longer
		c, pub := s.connect(atMost(100)), s.connect()
		c.subscribe(s.topic, 1)
		pub.publish(s.topic, strings.Repeat("x", 100), 0)
		pub.publish(s.topic, strings.Repeat("x", 100), 1)
		pub.publish(s.topic, "short", 0)
		c.message(s.topic, "short")
	}},
	{"MQTT-3.1.2-25", v5, func(s *script) { // it neither counts as in flight nor comes back
		for _, changes := range [][]change{{}, {durable(unique("c"))}} {
			changes = append(changes, atMost(100), with(func(p *mqtt.Properties) { p.Has |= mqtt.ReceiveMaximum; p.ReceiveMaximum = 1 }))
			c, pub := s.connect(changes...), s.connect()
			c.subscribe(s.topic, 2)
			for range 3 {
				pub.publish(s.topic, strings.Repeat("x", 100), 2)
			}
			pub.publish(s.topic, "short", 1)
			c.message(s.topic, "short")
		}
	}},
	{"MQTT-3.1.2-26", v5, func(s *script) {
		const most = 3
		c, pub := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.TopicAliasMaximum; p.TopicAliasMaximum = most })), s.connect()
		c.subscribe(s.topic+"/#", 0)
		known := map[uint16]string{}
		for range 2 {
			for _, level := range []string{"/a", "/b", "/c", "/d", "/e"} {
				pub.publish(s.topic+level, "x", 0)
				m := want[*mqtt.Publish](c)
				if m.Properties != nil && m.Properties.Has&mqtt.TopicAlias != 0 {
					alias := m.Properties.TopicAlias
					s.check(alias <= most, "alias %d", alias)
					if m.Topic != "" {
						known[alias] = m.Topic
					}
					m.Topic = known[alias]
				}
				s.check(m.Topic == s.topic+level, "got %s", show(m))
			}
		}
	}},
	{"MQTT-3.1.2-27", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic, 0)
		for range 3 {
			pub.publish(s.topic, "x", 0)
			s.check(c.message(s.topic, "x").Properties == nil, "an alias")
		}
	}},
	{"MQTT-3.3.2-4", v5, func(s *script) {
		for _, n := range []byte{0, 1} {
			s.passes(mqtt.Properties{Has: mqtt.PayloadFormatIndicator, PayloadFormatIndicator: n})
		}
	}},
	{"MQTT-3.3.2-5", v5, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 1)
		c.leave()
		pub := s.connect()
		pub.publish(s.topic, "old", 1, expires(1))
		pub.publish(s.topic, "new", 1, expires(1000))
		pub.publish(s.topic+"/r", "old", 1, expires(1), retained)
		s.wait()
		c = s.connect(durable(id))
		c.message(s.topic, "new")
		c.subscribe(s.topic+"/r", 0) // a retained message expires too: §3.3.2.3.3
		c.quiet()
	}},
	{"MQTT-3.3.2-6", v5, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 1)
		c.leave()
		pub := s.connect()
		pub.publish(s.topic, "x", 1, expires(100), retained)
		s.wait()
		late := s.connect()
		late.subscribe(s.topic, 0)
		for _, p := range []*peer{late, s.connect(durable(id))} {
			m := p.message(s.topic, "x")
			s.check(m.Properties != nil && m.Properties.Has&mqtt.MessageExpiryInterval != 0, "no expiry interval")
			left := m.Properties.MessageExpiryInterval
			s.check(left >= 80 && left <= 99, "%d s are left of 100", left)
		}
	}},
	{"MQTT-3.3.2-7", v5, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		c.publish(s.topic, "x", 1, alias(1))
		c.publish("", "x", 1, alias(1))
		c.leave()
		c = s.connect(durable(id))
		c.send(&mqtt.Publish{QoS: 1, PacketID: 1, Properties: &mqtt.Properties{Has: mqtt.TopicAlias, TopicAlias: 1}})
		c.closed(mqtt.ProtocolError, mqtt.TopicAliasInvalid)
	}},
	{"MQTT-3.3.2-8", v5, func(s *script) {
		c := s.connect()
		c.send(packet(0x30, s.topic, 3, 0x23, uint16(0)))
		c.closed(mqtt.TopicAliasInvalid, mqtt.ProtocolError)
	}},
	{"MQTT-3.3.2-9", v5, func(s *script) {
		c := s.connect()
		c.send(packet(0x30, s.topic, 3, 0x23, c.connack.Properties.TopicAliasMaximum+1))
		c.closed(mqtt.TopicAliasInvalid, mqtt.ProtocolError)
	}},
	{"MQTT-3.3.2-12", v5, func(s *script) {
		c, pub := s.connect(), s.connect()
		c.subscribe(s.topic+"/#", 0)
		for n := range pub.connack.Properties.TopicAliasMaximum {
			pub.publish(s.topic+"/first", "", 0, alias(n+1))
			c.message(s.topic+"/first", "")
			pub.publish(s.topic+"/second", "", 0, alias(n+1)) // a new mapping
			c.message(s.topic+"/second", "")
			pub.publish("", "x", 0, alias(n+1))
			c.message(s.topic+"/second", "x")
		}
	}},
	{"MQTT-3.3.2-13", v5, func(s *script) {
		c := s.connect()
		props := join(0x08, badStrings[0])
		c.send(packet(0x30, s.topic, len(props), props))
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-3.3.2-14", v5, func(s *script) {
		for _, bad := range []string{"a/#", "+/a"} {
			c := s.connect()
			props := join(0x08, bad)
			c.send(packet(0x30, s.topic, len(props), props))
			c.closed(mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.TopicNameInvalid)
		}
	}},
	{"MQTT-3.3.2-15", v5, func(s *script) {
		s.passes(mqtt.Properties{Has: mqtt.ResponseTopic, ResponseTopic: "answer/here"})
	}},
	{"MQTT-3.3.2-16", v5, func(s *script) {
		for _, data := range []string{"", "\x00\xff\x01", strings.Repeat("x", 65535)} {
			s.passes(mqtt.Properties{Has: mqtt.CorrelationData | mqtt.ResponseTopic, ResponseTopic: "a", CorrelationData: []byte(data)})
		}
	}},
	{"MQTT-3.3.2-17", v5, func(s *script) {
		s.passes(mqtt.Properties{User: []mqtt.UserProperty{{Name: "", Value: ""}, {Name: "ä", Value: "\ufeffö"}}})
	}},
	{"MQTT-3.3.2-18", v5, func(s *script) {
		s.passes(mqtt.Properties{User: []mqtt.UserProperty{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}, {Name: "b", Value: "1"}, {Name: "b", Value: "2"}}})
	}},
	{"MQTT-3.3.2-19", v5, func(s *script) {
		c := s.connect()
		props := join(0x03, badStrings[0])
		c.send(packet(0x30, s.topic, len(props), props))
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-3.3.2-20", v5, func(s *script) {
		for _, kind := range []string{"text/plain", ""} {
			s.passes(mqtt.Properties{Has: mqtt.ContentType, ContentType: kind})
		}
	}},
}

// passes shows that properties reach a live subscriber, one who comes back, and one of the retained message, unaltered.
func (s *script) passes(props mqtt.Properties) {
	id, topic := unique("c"), unique(s.topic+"/")
	back := s.connect(durable(id))
	back.subscribe(topic, 2)
	back.leave()
	live, pub := s.connect(), s.connect()
	live.subscribe(topic, 0)
	pub.publish(topic, "x", 1, carrying(props), retained)
	late := s.connect()
	late.subscribe(topic, 1)
	for _, c := range []*peer{live, s.connect(durable(id)), late} {
		m := c.message(topic, "x")
		s.check(sameProperties(m.Properties, &props), "sent %+v, got %+v", props, m.Properties)
	}
}

func expires(seconds uint32) func(*mqtt.Publish) {
	return carrying(mqtt.Properties{Has: mqtt.MessageExpiryInterval, MessageExpiryInterval: seconds})
}

func alias(n uint16) func(*mqtt.Publish) {
	return carrying(mqtt.Properties{Has: mqtt.TopicAlias, TopicAlias: n})
}
