package mqtt

import (
	"bytes"
	"strings"
	"testing"
)

// reasons are MQTT 5.0 §2.4, table 2-6, written once more and from the other side: the reason codes of each packet.
var reasons = map[Type][]byte{
	CONNACK:    {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F},
	PUBACK:     {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	PUBREC:     {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	PUBREL:     {0x00, 0x92},
	PUBCOMP:    {0x00, 0x92},
	SUBACK:     {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2},
	UNSUBACK:   {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91},
	AUTH:       {0x00, 0x18, 0x19},
	DISCONNECT: {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2},
}

func TestEachReasonInEachPacket(t *testing.T) {
	for typ, codes := range reasons {
		for c := range 256 {
			e := checkReason(typ, ReasonCode(c))
			if (e == nil) != (bytes.IndexByte(codes, byte(c)) >= 0) {
				t.Errorf("%s, 0x%02X: %v", typ, c, e)
			}
			if e != nil && e.Statement == "" {
				t.Errorf("%s: no statement", typ)
			}
		}
	}
}

func TestReasonNames(t *testing.T) {
	for c := range 256 {
		name, known := ReasonCode(c).String(), false
		for _, codes := range reasons {
			known = known || bytes.IndexByte(codes, byte(c)) >= 0
		}
		if known == strings.HasPrefix(name, "0x") {
			t.Errorf("0x%02X is called %q", c, name)
		}
	}
	if !UnspecifiedError.Failed() || ReAuthenticate.Failed() {
		t.Error("failures begin at 0x80")
	}
}

func TestReturnCodes(t *testing.T) {
	for code, reason := range reasonOfReturnCode {
		if int(reason.ReturnCode()) != code {
			t.Errorf("return code %d became %v, and that %d", code, reason, reason.ReturnCode())
		}
	}
	for c, want := range map[ReasonCode]byte{
		BadAuthenticationMethod: 4, Banned: 5, ServerBusy: 3, QuotaExceeded: 3, UseAnotherServer: 3, UnspecifiedError: 3, MalformedPacket: 3,
	} {
		if got := c.ReturnCode(); got != want {
			t.Errorf("%v: got %d, want %d", c, got, want)
		}
	}
}

// What Parse refuses with can be answered with: CONNACK or DISCONNECT carry the code.
func TestErrorCodesCanBeSent(t *testing.T) {
	for _, c := range []ReasonCode{MalformedPacket, ProtocolError, TopicNameInvalid, ClientIdentifierNotValid, UnsupportedProtocolVersion} {
		if _, err := (&Connack{Code: c}).Append(nil, V5); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []ReasonCode{MalformedPacket, ProtocolError, TopicNameInvalid, TopicFilterInvalid, TopicAliasInvalid} {
		if _, err := (&Disconnect{Code: c}).Append(nil, V5); err != nil {
			t.Error(err)
		}
	}
}
