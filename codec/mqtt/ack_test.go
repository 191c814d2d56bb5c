package mqtt

import "testing"

// acks are the four acknowledgements of a PUBLISH: the first byte, and how they are made.
var acks = []struct {
	first     string
	statement string // about reason codes that are not theirs
	failure   ReasonCode
	make      func(id uint16, c ReasonCode, p *Properties) Packet
}{
	{"40 ", "MQTT-3.4.2-1", QuotaExceeded, func(id uint16, c ReasonCode, p *Properties) Packet { return &Puback{id, c, p} }},
	{"50 ", "MQTT-3.5.2-1", QuotaExceeded, func(id uint16, c ReasonCode, p *Properties) Packet { return &Pubrec{id, c, p} }},
	{"62 ", "MQTT-3.6.2-1", PacketIdentifierNotFound, func(id uint16, c ReasonCode, p *Properties) Packet { return &Pubrel{id, c, p} }},
	{"70 ", "MQTT-3.7.2-1", PacketIdentifierNotFound, func(id uint16, c ReasonCode, p *Properties) Packet { return &Pubcomp{id, c, p} }},
}

func TestAckBytes(t *testing.T) {
	for _, a := range acks {
		for _, v := range versions {
			golden(t, v, a.make(10, Success, nil), a.first+"02 00 0A")
		}
		why := map[ReasonCode]string{QuotaExceeded: "97", PacketIdentifierNotFound: "92"}[a.failure]
		golden(t, V5, a.make(0x1234, a.failure, nil), a.first+"03 12 34 "+why)
		p := &Properties{Has: ReasonString, ReasonString: "no"}
		golden(t, V5, a.make(65535, a.failure, p), a.first+"09 FF FF "+why+" 05 1F 00 02 6E 6F")
		golden(t, V5, a.make(1, Success, p), a.first+"09 00 01 00 05 1F 00 02 6E 6F")
	}
}

func TestAckLongForms(t *testing.T) {
	for _, a := range acks {
		for _, form := range []string{"03 00 0A 00", "04 00 0A 00 00"} { // longer than need be, but right
			p, err := parseWhole(unhex(t, a.first+form), V5)
			if err != nil {
				t.Errorf("%s%s: %v", a.first, form, err)
				continue
			}
			b, err := p.Append(nil, V5)
			if want := unhex(t, a.first+"02 00 0A"); err != nil || string(b) != string(want) {
				t.Errorf("%s%s: written as % X, %v", a.first, form, b, err)
			}
		}
	}
}

func TestAckOf3xLeavesOutTheReason(t *testing.T) {
	for _, a := range acks {
		for _, v := range []Version{V31, V311} {
			b, err := a.make(10, a.failure, &Properties{Has: ReasonString}).Append(nil, v)
			if want := unhex(t, a.first+"02 00 0A"); err != nil || string(b) != string(want) {
				t.Errorf("%s in %s: % X, %v", a.first, v, b, err)
			}
		}
	}
}

func TestAckRefused(t *testing.T) {
	for _, a := range acks {
		refuses(t, []refusal{
			{a.first + "packet identifier 0", V311, a.first + "02 00 00", ProtocolError, "MQTT-2.2.1-5"},
			{a.first + "packet identifier 0", V5, a.first + "03 00 00 00", ProtocolError, "MQTT-2.2.1-5"},
			{a.first + "empty", V311, a.first + "00", MalformedPacket, ""},
			{a.first + "one byte", V5, a.first + "01 00", MalformedPacket, ""},
			{a.first + "reason code in 3.1.1", V311, a.first + "03 00 01 00", MalformedPacket, ""},
			{a.first + "bytes left over", V5, a.first + "05 00 01 00 00 00", MalformedPacket, ""},
			{a.first + "a code of CONNACK", V5, a.first + "03 00 01 86", ProtocolError, a.statement},
			{a.first + "a code that does not exist", V5, a.first + "03 00 01 FF", ProtocolError, a.statement},
			{a.first + "a property of PUBLISH", V5, a.first + "06 00 01 00 02 01 00", MalformedPacket, ""},
			{a.first + "reason string twice", V5, a.first + "0A 00 01 00 06 1F 00 00 1F 00 00", ProtocolError, ""},
		})
		wantAppendError(t, a.make(0, Success, nil), V311, ProtocolError, "MQTT-2.2.1-5")
		wantAppendError(t, a.make(1, GrantedQoS1, nil), V5, ProtocolError, a.statement)
		wantAppendError(t, a.make(1, Success, &Properties{Has: TopicAlias, TopicAlias: 1}), V5, MalformedPacket, "")
	}
}

// PUBREL with the DUP flag is what a 3.1 client sends again; other versions have no such thing.
func TestPubrelSentAgain(t *testing.T) {
	if _, err := parseWhole(unhex(t, "6A 02 00 01"), V31); err != nil {
		t.Errorf("in 3.1: %v", err)
	}
	for _, v := range []Version{V311, V5} {
		_, err := parseWhole(unhex(t, "6A 02 00 01"), v)
		wantError(t, err, MalformedPacket, "MQTT-3.6.1-1")
	}
}

func TestAckCut(t *testing.T) {
	for _, a := range acks {
		truncations(t, V311, unhex(t, a.first+"02 00 01"))
		truncations(t, V5, unhex(t, a.first+"09 00 01 00 05 1F 00 02 6E 6F"), 2, 3)
	}
}

func TestAckReuse(t *testing.T) {
	p := Puback{9, QuotaExceeded, &Properties{}}
	if err := p.Parse(0, []byte{0, 1}, V5); err != nil || p != (Puback{PacketID: 1}) {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestAckAllocatesNothing(t *testing.T) {
	var p Pubrec
	buf := make([]byte, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		var err error
		if buf, err = (&Pubrec{PacketID: 5}).Append(buf[:0], V5); err == nil {
			err = p.Parse(0, buf[2:], V5)
		}
		if err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
