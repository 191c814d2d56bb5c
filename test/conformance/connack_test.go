package conformance

import (
	"bufio"
	"io"
	"net"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// connackCases are of section 3.2.
var connackCases = []testCase{
	{"MQTT-3.2.0-1", all, func(s *script) { // even before what waits
		id := unique("c")
		c := s.connect(durable(id))
		c.subscribe(s.topic, 1)
		c.leave()
		s.connect().publish(s.topic, "x", 1)
		s.connect(durable(id)).message(s.topic, "x")
	}},
	{"MQTT-3.2.0-2", all, func(s *script) {
		id := unique("c")
		s.connect(durable(id)).leave()
		c := s.connect(durable(id))
		c.quiet()
		c.leave()
	}},
	{"MQTT-3.2.2-1", all, func(s *script) {
		nc, err := net.Dial("tcp", s.addr)
		s.check(err == nil, "%v", err)
		defer func() { _ = nc.Close() }()
		_ = nc.SetDeadline(time.Now().Add(patience))
		_, _ = nc.Write(s.rawConnect(2))
		head := make([]byte, 4)
		_, err = io.ReadFull(bufio.NewReader(nc), head)
		s.check(err == nil && head[0] == 0x20 && head[2] == 0 && head[3] == 0, "%x, %v", head, err)
	}},
	{"MQTT-3.2.2-2", all, func(s *script) {
		id := unique("c")
		s.connect(durable(id)).leave()
		s.check(!s.connect(named(id)).connack.SessionPresent, "session present")
	}},
	{"MQTT-3.2.2-3", not3, func(s *script) {
		id := unique("c")
		c := s.connect(durable(id))
		s.check(!c.connack.SessionPresent, "session present")
		c.leave()
		s.check(s.connect(durable(id)).connack.SessionPresent, "no session")
	}},
	{"MQTT-3.2.2-6", v5, func(s *script) {
		id := unique("c")
		s.connect(durable(id)).leave()
		s.ask(durable(id), authenticating).refused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
		s.check(s.connect(durable(id)).connack.SessionPresent, "no session")
	}},
	{"MQTT-3.2.2-7", v5, func(s *script) { // and 3.2.2-8: the codec knows the reason codes of CONNACK
		s.ask(authenticating).refused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
	}},
	{"MQTT-3.2.2-5 of 3.1.1", v3, func(s *script) {
		c := s.dial(0)
		c.send(packet(0x10, "MQTT", 2, 2, uint16(60), "c"))
		c.refused(mqtt.UnsupportedProtocolVersion)
	}},
	{"MQTT-3.2.2-6 of 3.1.1", v3, func(s *script) { // no return code says "malformed"
		c := s.dial(0)
		c.send(s.rawConnect(3))
		c.ended()
	}},
	{"MQTT-3.2.2-9", v5, func(s *script) { // nothing is said to be missing but what is
		c := s.connect()
		p := c.connack.Properties
		s.check(p.Has&(mqtt.MaximumQoS|mqtt.RetainAvailable|mqtt.WildcardSubscriptionAvailable|mqtt.SubscriptionIdentifierAvailable) == 0, "%+v", p)
		c.subscribe(s.topic, 2)
		pub := s.connect()
		pub.publish(s.topic, "x", 2)
		s.check(c.message(s.topic, "x").QoS == 2, "QoS")
	}},
	{"MQTT-3.2.2-10", all, func(s *script) {
		c := s.connect()
		for qos := byte(0); qos <= 2; qos++ {
			c.subscribe(s.topic, qos)
		}
	}},
	{"MQTT-3.2.2-19", v5, func(s *script) {
		s.ask(authenticating, atMost(20)).refused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
	}},
	{"MQTT-3.2.2-22", v5, func(s *script) {
		c := s.connect(func(c *mqtt.Connect) { c.KeepAlive = 1 })
		s.check(c.connack.Properties.Has&mqtt.ServerKeepAlive == 0, "server keep alive")
		c.closed(mqtt.KeepAliveTimeout)
	}},
}

func authenticating(c *mqtt.Connect) {
	with(func(p *mqtt.Properties) {
		p.Has |= mqtt.AuthenticationMethod
		p.AuthenticationMethod = "no such method"
	})(c)
}
