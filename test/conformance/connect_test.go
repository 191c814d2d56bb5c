package conformance

import (
	"strings"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/codec/mqtt"
)

// connectCases are of section 3.1, the CONNECT packet itself; see will_test.go and session_test.go for what it asks for.
var connectCases = []testCase{
	{"MQTT-3.1.0-1", all, func(s *script) {
		for _, first := range [][]byte{
			{0xC0, 0}, {0xE0, 0}, packet(0x30, s.topic, s.props()), packet(0x82, uint16(1), s.props(), "a", 0), packet(0x20, 0, 0, s.props()),
		} {
			c := s.dial(0)
			c.send(first)
			c.ended()
		}
	}},
	{"MQTT-3.1.0-2", all, func(s *script) {
		c := s.connect()
		c.send(s.request(named(c.id)))
		c.closed(mqtt.ProtocolError)
	}},
	{"MQTT-3.1.2-1", all, func(s *script) {
		for _, name := range []string{"MQTX", "mqtt", "", "MQTTT"} {
			c := s.dial(0)
			c.send(packet(0x10, name, int(s.version), 2, uint16(60), s.props(), "c"))
			c.turnedAway()
		}
	}},
	{"MQTT-3.1.2-2", v5, func(s *script) {
		c := s.dial(0)
		c.send(packet(0x10, "MQTT", 6, 2, uint16(60), 0, "c"))
		c.turnedAway()
	}},
	{"MQTT-3.1.2-2 of 3.1.1", v3, func(s *script) {
		c := s.dial(0)
		c.send(packet(0x10, "MQTT", 2, 2, uint16(60), "c"))
		c.refused(mqtt.UnsupportedProtocolVersion)
	}},
	{"MQTT-3.1.2-3", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(3))
		c.malformed()
	}},
	{"MQTT-3.1.2-16", all, func(s *script) { // a user name without its flag is a field too many
		c := s.dial(0)
		c.send(s.rawConnect(2, "user"))
		c.malformed()
	}},
	{"MQTT-3.1.2-17", not3, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x82))
		c.malformed()
	}},
	{"MQTT-3.1.2-18", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x82, "user", "password"))
		c.malformed()
	}},
	{"MQTT-3.1.2-19", not3, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0xC2, "user"))
		c.malformed()
	}},
	{"user name flag without user name in 3.1", v31, func(s *script) { // §3.1: the remaining length comes before the flags
		c := s.dial(0)
		c.send(s.rawConnect(0xC2))
		c.accepted()
	}},
	{"MQTT-3.1.2-22 of 3.1.1", v3, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x42, "password"))
		c.ended()
	}},
	{"password without user name in 5.0", v5, func(s *script) { // §3.1.2.9
		c := s.dial(0)
		c.send(s.rawConnect(0x42, "password"))
		c.accepted()
	}},
	{"MQTT-3.1.2-28", v5, func(s *script) {
		c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.RequestResponseInformation }))
		s.check(c.connack.Properties.Has&mqtt.ResponseInformation == 0, "response information")
	}},
	{"MQTT-3.1.2-29", v5, func(s *script) {
		c := s.connect(with(func(p *mqtt.Properties) { p.Has |= mqtt.RequestProblemInformation }))
		silent := func(p *mqtt.Properties) {
			s.check(p == nil || p.Has&mqtt.ReasonString == 0 && len(p.User) == 0, "problem information: %+v", p)
		}
		c.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 1, PacketID: 1})
		silent(want[*mqtt.Puback](c).Properties)
		c.send(&mqtt.Publish{Topic: "$SYS/x", QoS: 2, PacketID: 2})
		silent(want[*mqtt.Pubrec](c).Properties)
		c.send(&mqtt.Pubrel{PacketID: 3})
		silent(want[*mqtt.Pubcomp](c).Properties)
		c.send(&mqtt.Subscribe{PacketID: 4, Filters: []mqtt.Filter{{Filter: "$share/g/a"}}})
		silent(want[*mqtt.Suback](c).Properties)
		c.send(&mqtt.Unsubscribe{PacketID: 5, Filters: []string{"nothing"}})
		silent(want[*mqtt.Unsuback](c).Properties)
	}},
	{"MQTT-3.1.3-1", all, func(s *script) { // all fields at once, each where it belongs
		w := s.connect()
		w.subscribe(s.topic, 0)
		c := s.dial(0)
		c.send(s.rawConnect(0xC6, s.props(), s.topic, "gone", "user", "password"))
		c.accepted()
		c.drop()
		w.message(s.topic, "gone")
	}},
	{"MQTT-3.1.3-3", all, func(s *script) {
		c := s.dial(0)
		c.send(packet(0x10, s.protocol(), 2, uint16(60), s.props()))
		c.malformed()
	}},
	{"MQTT-3.1.3-4", all, func(s *script) {
		for _, bad := range append(badStrings, "a\x00b") {
			c := s.dial(0)
			c.send(packet(0x10, s.protocol(), 2, uint16(60), s.props(), bad))
			c.malformed()
		}
	}},
	{"MQTT-3.1.3-5", all, func(s *script) {
		for _, id := range []string{"0", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ"} {
			s.connect(named(id)).drop()
		}
	}},
	{"MQTT-3.1.3-6", not3, func(s *script) { // two clients without a name do not take each other over
		a, b := s.connect(named("")), s.connect(named(""))
		a.quiet()
		b.quiet()
		if s.version == mqtt.V5 {
			x, y := a.connack.Properties.AssignedClientIdentifier, b.connack.Properties.AssignedClientIdentifier
			s.check(x != "" && y != "" && x != y, "assigned %q and %q", x, y)
		}
	}},
	{"MQTT-3.1.3-7", v5, func(s *script) {
		a := s.connect(durable(""))
		id := a.connack.Properties.AssignedClientIdentifier
		s.check(id != "", "no identifier")
		a.leave()
		s.check(s.connect(durable(id)).connack.SessionPresent, "no session of %q", id)
	}},
	{"MQTT-3.1.3-8", v5, func(s *script) {
		s.ask(named(strings.Repeat("x", 2000))).refused(mqtt.ClientIdentifierNotValid)
	}},
	{"MQTT-3.1.3-8 of 3.1.1", v311, func(s *script) {
		c := s.dial(0)
		c.send(packet(0x10, s.protocol(), 0, uint16(60), ""))
		c.refused(mqtt.ClientIdentifierNotValid)
	}},
	{"MQTT-3.1.3-9 of 3.1.1", v311, func(s *script) {
		s.ask(named(strings.Repeat("x", 2000))).refused(mqtt.ClientIdentifierNotValid)
	}},
	{"client identifiers of 3.1", v31, func(s *script) { // §3.1: 1 to 23 characters; more are let in by this server
		c := s.dial(0)
		c.send(packet(0x10, s.protocol(), 2, uint16(60), ""))
		c.refused(mqtt.ClientIdentifierNotValid)
		s.connect(named(strings.Repeat("x", 24)))
		s.ask(named(strings.Repeat("x", 2000))).refused(mqtt.ClientIdentifierNotValid)
	}},
	{"MQTT-3.1.3-12", all, func(s *script) {
		c := s.dial(0)
		c.send(s.rawConnect(0x82, badStrings[0]))
		c.malformed()
	}},
	{"MQTT-3.1.4-1", all, func(s *script) {
		whole := s.rawConnect(0xC6, s.props(), "w", "gone", "user", "password")
		for cut := 12; cut < len(whole)-1; cut++ { // the header says that this is all
			if s.version == mqtt.V31 && cut > len(whole)-20 {
				break // where user name and password may be missing
			}
			c := s.dial(0)
			b := append([]byte{}, whole[:cut]...)
			b[1] = byte(cut - 2)
			c.send(b)
			c.malformed()
		}
	}},
	{"MQTT-3.1.4-2", all, func(s *script) {
		s.start(func(c *broker.Config) { c.Anonymous = broker.Never })
		s.ask().refused(mqtt.NotAuthorized, mqtt.BadUserNameOrPassword)
	}},
	{"MQTT-3.1.4-5", all, func(s *script) {
		c := s.ask()
		ack := want[*mqtt.Connack](c)
		s.check(ack.Code == mqtt.Success && !ack.SessionPresent, "%s", show(ack))
	}},
	{"MQTT-3.1.4-6", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		c := s.dial(0)
		c.send(join(s.rawConnect(3), packet(0x30, s.topic, s.props(), 'x'))) // a reserved flag
		c.malformed()
		w.quiet()
	}},
}

// turnedAway expects the end of the connection, perhaps after a CONNACK that says that the version is not spoken.
func (p *peer) turnedAway() {
	got, err := p.next()
	if err != nil {
		return
	}
	ack, ok := got.(*mqtt.Connack)
	p.s.check(ok && ack.Code == mqtt.UnsupportedProtocolVersion, "got %s", show(got))
	p.ended()
}
