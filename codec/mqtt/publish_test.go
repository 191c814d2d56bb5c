package mqtt

import (
	"bytes"
	"strings"
	"testing"
)

func TestPublishBytes(t *testing.T) {
	// The variable headers of MQTT 5.0 §3.3.2 and 3.1.1 §3.3.2: topic a/b, packet identifier 10.
	golden(t, V5, &Publish{QoS: 1, Topic: "a/b", PacketID: 10, Payload: []byte("x")}, "32 09 00 03 61 2F 62 00 0A 00 78")
	golden(t, V311, &Publish{QoS: 1, Topic: "a/b", PacketID: 10, Payload: []byte("x")}, "32 08 00 03 61 2F 62 00 0A 78")
	// The string of MQTT 5.0 §1.5.4: A and U+2A6D4.
	golden(t, V31, &Publish{Retain: true, Topic: "A\U0002A6D4", Payload: []byte{}}, "31 07 00 05 41 F0 AA 9B 94")
	golden(t, V5, &Publish{Dup: true, QoS: 2, Retain: true, Topic: "t", PacketID: 65535, Payload: []byte{}}, "3D 06 00 01 74 FF FF 00")
	golden(t, V5, &Publish{Payload: []byte("p"), Properties: &Properties{Has: TopicAlias, TopicAlias: 7}}, "30 07 00 00 03 23 00 07 70")
	golden(t, V5, &Publish{Topic: "t", Payload: []byte{}, Properties: &Properties{
		Has: MessageExpiryInterval, MessageExpiryInterval: 60, SubscriptionIdentifiers: []uint32{1, 128},
		User: []UserProperty{{"a", "1"}, {"a", ""}},
	}}, `30 1B 00 01 74 17  02 00 00 00 3C  0B 01  0B 80 01  26 00 01 61 00 01 31  26 00 01 61 00 00`)
	// A byte order mark is a character of the topic (MQTT-1.5.4-3).
	golden(t, V5, &Publish{Topic: "\uFEFFa", Payload: []byte{}}, "30 07 00 04 EF BB BF 61 00")
}

func TestPublishRemainingLengthGrows(t *testing.T) {
	for _, n := range []int{0, 122, 123, 124, 125, 16_378, 16_379, 16_380, 2_097_146, 2_097_147} {
		for _, v := range versions {
			p := &Publish{QoS: 1, Topic: "t", PacketID: 1, Payload: bytes.Repeat([]byte{'p'}, n)}
			b, err := p.Append([]byte("before"), v)
			if err != nil || !bytes.HasPrefix(b, []byte("before")) {
				t.Fatalf("%d: %q, %v", n, b[:6], err)
			}
			q, err := parseWhole(b[6:], v)
			if err != nil || !bytes.Equal(q.(*Publish).Payload, p.Payload) || q.(*Publish).Topic != "t" {
				t.Fatalf("%d bytes of payload in %s: %v", n, v, err)
			}
		}
	}
}

func TestPublishRefused(t *testing.T) {
	refuses(t, []refusal{
		{"QoS 3", V311, "36 06 00 01 74 00 01 78", MalformedPacket, "MQTT-3.3.1-4"},
		{"DUP on QoS 0", V311, "38 03 00 01 74", MalformedPacket, "MQTT-3.3.1-2"},
		{"packet identifier 0", V311, "32 05 00 01 74 00 00", ProtocolError, "MQTT-2.2.1-3"},
		{"packet identifier 0", V5, "34 06 00 01 74 00 00 00", ProtocolError, "MQTT-2.2.1-3"},
		{"no packet identifier", V311, "32 03 00 01 74", MalformedPacket, ""},
		{"topic empty", V311, "30 02 00 00", TopicNameInvalid, "MQTT-4.7.3-1"},
		{"topic empty, no alias", V5, "30 03 00 00 00", ProtocolError, ""},
		{"topic empty, other properties", V5, "30 05 00 00 02 01 01", ProtocolError, ""},
		{"topic #", V311, "30 03 00 01 23", TopicNameInvalid, "MQTT-3.3.2-2"},
		{"topic a/+/b", V5, "30 08 00 05 61 2F 2B 2F 62 00", TopicNameInvalid, "MQTT-3.3.2-2"},
		{"topic with U+0000", V311, "30 05 00 03 61 00 62", MalformedPacket, "MQTT-1.5.4-2"},
		{"topic with an overlong form", V311, "30 04 00 02 C0 80", MalformedPacket, "MQTT-1.5.4-1"},
		{"topic with a surrogate", V311, "30 05 00 03 ED A0 80", MalformedPacket, "MQTT-1.5.4-1"},
		{"topic beyond U+10FFFF", V311, "30 06 00 04 F4 90 80 80", MalformedPacket, "MQTT-1.5.4-1"},
		{"topic cut in a character", V311, "30 03 00 01 C3", MalformedPacket, "MQTT-1.5.4-1"},
		{"topic longer than the packet", V311, "30 03 FF FF 61", MalformedPacket, ""},
		{"topic alias 0", V5, "30 07 00 01 74 03 23 00 00", TopicAliasInvalid, "MQTT-3.3.2-8"},
		{"properties longer than the packet", V5, "30 05 00 01 74 7F 01", MalformedPacket, ""},
		{"property length missing", V5, "30 03 00 01 74", MalformedPacket, ""},
		{"property length cut", V5, "30 04 00 01 74 80", MalformedPacket, ""},
		{"property length not minimal", V5, "30 05 00 01 74 80 00", MalformedPacket, "MQTT-1.5.5-1"},
		{"property length over 4 bytes", V5, "30 08 00 01 74 FF FF FF FF 7F", MalformedPacket, "MQTT-1.5.5-1"},
		{"property cut", V5, "30 06 00 01 74 02 23 01", MalformedPacket, ""},
		{"unknown property", V5, "30 06 00 01 74 02 04 00", MalformedPacket, ""},
		{"property 0", V5, "30 06 00 01 74 02 00 00", MalformedPacket, ""},
		{"property beyond the table", V5, "30 07 00 01 74 03 FF 01 00", MalformedPacket, ""},
		{"property twice", V5, "30 08 00 01 74 04 01 00 01 00", ProtocolError, ""},
		{"a property of CONNECT", V5, "30 07 00 01 74 03 21 00 01", MalformedPacket, ""},
		{"payload format 2", V5, "30 06 00 01 74 02 01 02", ProtocolError, ""},
		{"response topic with a wildcard", V5, "30 08 00 01 74 04 08 00 01 23", TopicNameInvalid, "MQTT-3.3.2-14"},
		{"subscription identifier 0", V5, "30 06 00 01 74 02 0B 00", ProtocolError, ""},
		{"subscription identifier too long", V5, "30 0A 00 01 74 06 0B FF FF FF FF 7F", MalformedPacket, "MQTT-1.5.5-1"},
		{"user property cut", V5, "30 08 00 01 74 04 26 00 01 61", MalformedPacket, ""},
		{"user property ill-formed", V5, "30 0A 00 01 74 06 26 00 00 00 01 FF", MalformedPacket, "MQTT-1.5.4-1"},
		{"empty", V311, "30 00", MalformedPacket, ""},
	})
}

func TestPublishLongestTopic(t *testing.T) {
	for _, topic := range []string{strings.Repeat("x", 65_535), strings.Repeat("/", 65_535)} {
		b, err := (&Publish{Topic: topic}).Append(nil, V311)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := parseWhole(b, V311); err != nil || p.(*Publish).Topic != topic {
			t.Fatal(err)
		}
		wantAppendError(t, &Publish{Topic: topic + "x"}, V311, MalformedPacket, "")
	}
	// What goes into a log stays short.
	if _, err := (&Publish{Topic: strings.Repeat("é+", 20_000)}).Append(nil, V5); err == nil || len(err.Error()) > 300 {
		t.Error(err)
	}
}

func TestPublishNotWritten(t *testing.T) {
	wantAppendError(t, &Publish{Topic: "t", QoS: 1}, V5, ProtocolError, "MQTT-2.2.1-3")
	for _, qos := range []byte{3, 4, 255} {
		wantAppendError(t, &Publish{Topic: "t", QoS: qos, PacketID: 1}, V5, MalformedPacket, "MQTT-3.3.1-4")
	}
	wantAppendError(t, &Publish{Topic: "t", Dup: true}, V5, MalformedPacket, "MQTT-3.3.1-2")
	wantAppendError(t, &Publish{}, V5, ProtocolError, "")
	wantAppendError(t, &Publish{Properties: &Properties{Has: TopicAlias, TopicAlias: 1}}, V311, TopicNameInvalid, "MQTT-4.7.3-1")
	wantAppendError(t, &Publish{Topic: "a/#"}, V311, TopicNameInvalid, "MQTT-3.3.2-2")
	wantAppendError(t, &Publish{Topic: "t", Properties: &Properties{Has: ServerKeepAlive}}, V5, MalformedPacket, "")
	wantAppendError(t, &Publish{Topic: "t", Properties: &Properties{Has: ResponseTopic, ResponseTopic: "a/+"}}, V5, TopicNameInvalid, "MQTT-3.3.2-14")
	wantAppendError(t, &Publish{Topic: "t", Properties: &Properties{SubscriptionIdentifiers: []uint32{1 << 28}}}, V5, ProtocolError, "")
}

// Cutting a PUBLISH leaves a shorter payload, so only what comes before it shows.
func TestPublishCut(t *testing.T) {
	truncations(t, V311, unhex(t, "32 05 00 01 74 00 01"))
	truncations(t, V5, unhex(t, "32 09 00 01 74 00 01 03 23 00 01"))
}

func TestPublishReuse(t *testing.T) {
	p := Publish{Dup: true, QoS: 2, Topic: "old", PacketID: 9, Properties: &Properties{}, Payload: []byte("old")}
	if err := p.Parse(0, unhex(t, "00 01 74"), V311); err != nil {
		t.Fatal(err)
	}
	if p.Dup || p.QoS != 0 || p.Topic != "t" || p.PacketID != 0 || p.Properties != nil || len(p.Payload) != 0 {
		t.Errorf("something of the packet before is left: %+v", p)
	}
}

func TestPublishAllocatesNothing(t *testing.T) {
	payload := bytes.Repeat([]byte{'p'}, 200)
	for _, v := range versions {
		for qos := range byte(2) {
			p := &Publish{QoS: qos, Topic: "devices/boiler/temperature", PacketID: uint16(qos), Payload: payload}
			buf, err := p.Append(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			if n := testing.AllocsPerRun(100, func() { buf, err = p.Append(buf[:0], v) }); n != 0 || err != nil {
				t.Errorf("Append in %s, QoS %d: %v allocations, %v", v, qos, n, err)
			}
			var q Publish
			if n := testing.AllocsPerRun(100, func() {
				var h Header
				h, head, herr := ParseHeader(buf)
				if err = herr; err == nil {
					err = q.Parse(h.Flags, buf[head:], v)
				}
			}); n != 0 || err != nil {
				t.Errorf("Parse in %s, QoS %d: %v allocations, %v", v, qos, n, err)
			}
		}
	}
}

func BenchmarkPublishAppend(b *testing.B) {
	p := &Publish{QoS: 1, Topic: "devices/boiler/temperature", PacketID: 1, Payload: make([]byte, 200)}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = p.Append(buf[:0], V5); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublishParse(b *testing.B) {
	buf, err := (&Publish{QoS: 1, Topic: "devices/boiler/temperature", PacketID: 1, Payload: make([]byte, 200)}).Append(nil, V5)
	if err != nil {
		b.Fatal(err)
	}
	var p Publish
	b.ReportAllocs()
	for b.Loop() {
		h, n, err := ParseHeader(buf)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Parse(h.Flags, buf[n:], V5); err != nil {
			b.Fatal(err)
		}
	}
}
