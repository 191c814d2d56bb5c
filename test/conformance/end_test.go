package conformance

import (
	"github.com/edged/edged/codec/mqtt"
)

// endCases are of sections 3.12 to 3.15: PINGREQ, DISCONNECT and AUTH.
var endCases = []testCase{
	{"MQTT-3.12.4-1", all, func(s *script) {
		c := s.connect()
		c.send(join([]byte{0xC0, 0}, []byte{0xC0, 0}, []byte{0xC0, 0}))
		for range 3 {
			want[*mqtt.Pingresp](c)
		}
	}},
	{"MQTT-3.14.0-1", v5, func(s *script) { // before CONNECT was accepted there is CONNACK or nothing
		s.ask(authenticating).refused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
		c := s.dial(0)
		c.send([]byte{0xC0, 0})
		c.ended()
	}},
	{"MQTT-3.14.1-1", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		c := s.connect(willed(mqtt.Will{Topic: s.topic}))
		c.send([]byte{0xE1, 0})
		c.closed(mqtt.MalformedPacket)
		w.message(s.topic, "") // it was no DISCONNECT
	}},
	{"MQTT-3.14.2-1", v5, func(s *script) { // what the server sends, the codec checks
		c := s.connect()
		c.send(packet(0xE0, 0x03))
		c.closed(mqtt.MalformedPacket, mqtt.ProtocolError)
	}},
	{"MQTT-3.14.2-2", v5, func(s *script) {
		c := s.connect(expiring(1000))
		s.connect(named(c.id))
		bye := want[*mqtt.Disconnect](c)
		s.check(bye.Properties == nil || bye.Properties.Has&mqtt.SessionExpiryInterval == 0, "%s", show(bye))
	}},
	{"MQTT-3.14.2-3", v5, func(s *script) { // DISCONNECT comes, with what there is room for
		c := s.connect(atMost(30))
		c.send([]byte{0xC1, 0})
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-3.14.4-1", v5, func(s *script) { // closed expects nothing after DISCONNECT
		c := s.connect()
		c.subscribe(s.topic, 0)
		c.send(join([]byte{0xC1, 0}, []byte{0xC0, 0}, packet(0x30, s.topic, 0)))
		c.closed(mqtt.MalformedPacket)
	}},
	{"MQTT-3.14.4-2", v5, func(s *script) {
		c := s.connect()
		s.connect(named(c.id))
		c.closed(mqtt.SessionTakenOver)
	}},
	{"MQTT-3.14.4-3", all, func(s *script) {
		w := s.connect()
		w.subscribe(s.topic, 0)
		s.connect(willed(mqtt.Will{Topic: s.topic})).leave()
		w.quiet()
	}},
	{"DISCONNECT with will", v5, func(s *script) { // §3.14.2.1: every code but 0x00 leaves the will in force
		w := s.connect()
		w.subscribe(s.topic, 0)
		for _, code := range []mqtt.ReasonCode{mqtt.DisconnectWithWillMessage, mqtt.UnspecifiedError} {
			c := s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte("gone")}))
			c.send(&mqtt.Disconnect{Code: code})
			c.ended()
			w.message(s.topic, "gone")
		}
	}},
	{"MQTT-3.15.1-1", v5, func(s *script) {
		for _, first := range []byte{0xF1, 0xF2, 0xF8} {
			c := s.connect()
			c.send([]byte{first, 0})
			c.closed(mqtt.MalformedPacket)
		}
	}},
	{"MQTT-4.12.0-1", v5, func(s *script) {
		s.ask(authenticating).refused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
	}},
	{"MQTT-4.12.0-6", v5, func(s *script) {
		c := s.connect()
		s.check(c.connack.Properties.Has&(mqtt.AuthenticationMethod|mqtt.AuthenticationData) == 0, "%+v", c.connack.Properties)
		c.quiet()
	}},
	{"MQTT-4.12.0-7", v5, func(s *script) {
		c := s.connect()
		c.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "x"}})
		c.closed(mqtt.ProtocolError)
	}},
	{"MQTT-4.13.1-1", all, func(s *script) {
		for _, b := range [][]byte{{0x00, 0}, {0xC1, 0}, {0xC0, 1, 0}, packet(0x20, 0, 0), {0xD0, 0}, packet(0x90, uint16(1), 0)} {
			c := s.connect()
			c.send(b)
			c.closed(mqtt.MalformedPacket, mqtt.ProtocolError)
		}
	}},
	{"MQTT-4.13.2-1", v5, func(s *script) { // the connection ends even when the reason is not read
		c := s.connect()
		c.send(&mqtt.Disconnect{Code: mqtt.UnspecifiedError})
		c.ended()
		s.ask(authenticating).refused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
	}},
}
