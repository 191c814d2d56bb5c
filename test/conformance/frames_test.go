package conformance

import (
	"strings"

	"github.com/edged/edged/codec/mqtt"
)

// frame is what one hostile client sends; the connection must end with one of the codes.
type frame struct {
	name     string
	versions []mqtt.Version
	bytes    func(s *script) []byte
	codes    []mqtt.ReasonCode
}

var (
	malformed = []mqtt.ReasonCode{mqtt.MalformedPacket}
	either    = []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError} // where the standard leaves it open
	violation = []mqtt.ReasonCode{mqtt.ProtocolError}
	badTopic  = []mqtt.ReasonCode{mqtt.TopicNameInvalid, mqtt.MalformedPacket, mqtt.ProtocolError}
	tooLarge  = []mqtt.ReasonCode{mqtt.PacketTooLarge}
	badAlias  = []mqtt.ReasonCode{mqtt.TopicAliasInvalid}
)

func raw(parts ...any) func(*script) []byte {
	b := join(parts...)
	return func(*script) []byte { return b }
}

// publishing is a PUBLISH of version 5 with these properties.
func publishing(props ...byte) func(*script) []byte {
	return func(s *script) []byte { return packet(0x30, s.topic, s.props(props...), 'x') }
}

// subscribing is a SUBSCRIBE of version 5 with these properties.
func subscribing(props ...byte) func(*script) []byte {
	return func(s *script) []byte { return packet(0x82, uint16(1), s.props(props...), s.topic, 0) }
}

// frames come after CONNECT was accepted.
var frames = []frame{
	{"remaining length of five bytes", all, raw(bytesOf("c0 80 80 80 80 01")), malformed},
	{"remaining length of ff only", all, raw(bytesOf("30 ff ff ff ff")), malformed},
	{"remaining length not minimal", all, raw(bytesOf("c0 80 00")), malformed},
	{"remaining length of 256 MB", all, raw(bytesOf("30 ff ff ff 7f")), tooLarge},
	{"remaining length of 2 MB", all, raw(bytesOf("82 80 80 80 01")), tooLarge},
	{"packet type 0", all, raw(bytesOf("00 00")), malformed},
	{"PINGREQ with a body", all, raw(bytesOf("c0 01 00")), malformed},
	{"PUBACK longer than its fields", all, func(s *script) []byte { return packet(0x40, uint16(1), s.props(0), s.props()[:0], 0, 0, 0) }, either},
	{"PUBACK of one byte", all, raw(packet(0x40, 1)), malformed},
	{"PUBLISH of one byte", all, raw(packet(0x30, 1)), malformed},
	{"PUBLISH that ends in its topic", all, raw(packet(0x30, uint16(9), 'a')), malformed},
	{"PUBLISH that ends before its identifier", all, raw(packet(0x32, "a", 1)), malformed},
	{"SUBSCRIBE that ends before its options", all, func(s *script) []byte { return packet(0x82, uint16(1), s.props(), s.topic) }, malformed},
	{"SUBSCRIBE of its identifier only", all, raw(packet(0x82, uint16(1))), either},
	{"SUBSCRIBE with a byte too many", all, func(s *script) []byte { return packet(0x82, uint16(1), s.props(), s.topic, 0, 0) }, malformed},
	{"UNSUBSCRIBE that ends in its filter", all, func(s *script) []byte { return packet(0xA2, uint16(1), s.props(), uint16(9), 'a') }, malformed},
	{"PUBLISH with reserved QoS", all, func(s *script) []byte { return packet(0x36, s.topic, uint16(1), s.props()) }, malformed},
	{"PUBLISH with DUP and QoS 0", all, func(s *script) []byte { return packet(0x38, s.topic, s.props()) }, either},
	{"PINGREQ with flags", all, raw(bytesOf("cf 00")), malformed},
	{"PUBACK of identifier 0", all, raw(packet(0x40, uint16(0))), either},
	{"PUBREC of identifier 0", all, raw(packet(0x50, uint16(0))), either},
	{"PUBREL of identifier 0", all, raw(packet(0x62, uint16(0))), either},
	{"PUBCOMP of identifier 0", all, raw(packet(0x70, uint16(0))), either},
	{"empty topic", all, func(s *script) []byte { return packet(0x30, "", s.props(), 'x') }, badTopic},
	{"topic with #", all, func(s *script) []byte { return packet(0x30, "a/#", s.props()) }, badTopic},
	{"topic with U+0000", all, func(s *script) []byte { return packet(0x30, "a\x00", s.props()) }, malformed},
	{"topic with a surrogate", all, func(s *script) []byte { return packet(0x30, "\xed\xa0\x80\xed\xb0\x80", s.props()) }, malformed},
	{"CONNACK from a client", all, func(s *script) []byte { return packet(0x20, 0, 0, s.props()) }, either},
	{"SUBACK from a client", all, func(s *script) []byte { return packet(0x90, uint16(1), s.props(), 0) }, either},
	{"UNSUBACK from a client", all, func(s *script) []byte { return packet(0xB0, uint16(1), s.props(), s.props()) }, either},
	{"PINGRESP from a client", all, raw(bytesOf("d0 00")), either},
	{"AUTH out of turn", all, raw(bytesOf("f0 00")), either},
	{"AUTH with a method out of turn", v5, raw(packet(0xF0, 0x18, 4, 0x15, "x")), violation},
	{"property twice", v5, publishing(0x01, 1, 0x01, 1), violation},
	{"property twice with another value", v5, publishing(0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 2), violation},
	{"property that does not exist", v5, publishing(0x7F, 1), malformed},
	{"property identifier of two bytes", v5, publishing(0xAB, 0x01, 1), malformed},
	{"property of another packet", v5, publishing(0x11, 0, 0, 0, 1), either},
	{"property cut off", v5, publishing(0x02, 0, 0), malformed},
	{"property length beyond the packet", v5, func(s *script) []byte { return packet(0x30, s.topic, 100, 0x01, 1) }, malformed},
	{"property length of five bytes", v5, func(s *script) []byte { return packet(0x30, s.topic, bytesOf("80 80 80 80 01")) }, malformed},
	{"property length not minimal", v5, func(s *script) []byte { return packet(0x30, s.topic, bytesOf("80 00")) }, malformed},
	{"payload format indicator 2", v5, publishing(0x01, 2), either},
	{"topic alias 0", v5, publishing(0x23, 0, 0), badAlias},
	{"topic alias 65535", v5, publishing(0x23, 0xFF, 0xFF), badAlias},
	{"topic alias that was not given", v5, func(s *script) []byte { return packet(0x30, "", s.props(0x23, 0, 1)) }, append(violation, badAlias...)},
	{"subscription identifier 0", v5, subscribing(0x0B, 0), violation},
	{"subscription identifier twice", v5, subscribing(0x0B, 1, 0x0B, 2), violation},
	{"subscription identifier of five bytes", v5, subscribing(0x0B, 0x80, 0x80, 0x80, 0x80, 1), malformed},
	{"DISCONNECT with a body in 3.x", v3, raw(bytesOf("e0 01 00")), nil},
}

// greetings are CONNECTs; version 5 is told why in CONNACK, which may be left out where the version is not known.
var greetings = []frame{
	{"CONNECT with flags", all, func(s *script) []byte { b := s.rawConnect(2); b[0] = 0x11; return b }, nil},
	{"CONNECT without a body", all, raw(bytesOf("10 00")), nil},
	{"CONNECT that ends in its name", all, raw(packet(0x10, uint16(4), []byte("MQ"))), nil},
	{"will QoS without will", all, func(s *script) []byte { return s.rawConnect(0x0A) }, malformed},
	{"will retain without will", all, func(s *script) []byte { return s.rawConnect(0x22) }, malformed},
	{"will of QoS 3", all, func(s *script) []byte { return s.rawConnect(0x1E, s.props(), "a", "x") }, malformed},
	{"will to a wildcard", all, func(s *script) []byte { return s.rawConnect(6, s.props(), "a/#", "x") }, badTopic},
	{"will to an empty topic", all, func(s *script) []byte { return s.rawConnect(6, s.props(), "", "x") }, badTopic},
	{"a byte too many", all, func(s *script) []byte { return s.rawConnect(2, 0) }, malformed},
	{"CONNECT of 256 MB", v5, raw(bytesOf("10 ff ff ff 7f"), "MQTT", 5), tooLarge},
	{"CONNECT of 256 MB of 3.1.1", v3, raw(bytesOf("10 ff ff ff 7f"), "MQTT", 4), nil},
	{"CONNECT beyond the limit", v5, func(s *script) []byte {
		big := strings.Repeat("x", 65000)
		props := join(0x26, "n", big)
		return packet(0x10, s.protocol(), 2, uint16(60), bytesOf("a0 c2 52"), bytes20(props), "c")
	}, tooLarge},
	{"receive maximum 0", v5, greeting(0x21, 0, 0), violation},
	{"maximum packet size 0", v5, greeting(0x27, 0, 0, 0, 0), violation},
	{"session expiry interval twice", v5, greeting(0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1), violation},
	{"request problem information 2", v5, greeting(0x17, 2), violation},
	{"authentication data without a method", v5, greeting(0x16, 0, 1, 0), violation},
	{"property of PUBLISH", v5, greeting(0x01, 1), either},
	{"properties cut off", v5, greeting(0x11, 0), malformed},
	{"property length beyond CONNECT", v5, func(s *script) []byte { return packet(0x10, s.protocol(), 2, uint16(60), 100, "c") }, malformed},
	{"topic alias in a will", v5, func(s *script) []byte { return s.rawConnect(6, s.props(0x23, 0, 1), "a", "x") }, either},
}

// bytes20 is b so often that the properties are 1,352,992 bytes long, which is what a0 c2 52 says.
func bytes20(b []byte) (many []byte) {
	for len(many)+len(b) <= 1_352_992 {
		many = append(many, b...)
	}
	rest := 1_352_992 - len(many)
	return append(many, join(0x26, "n", strings.Repeat("x", rest-6))...)
}

func greeting(props ...byte) func(*script) []byte {
	return func(s *script) []byte { return packet(0x10, s.protocol(), 2, uint16(60), s.props(props...), "c") }
}
