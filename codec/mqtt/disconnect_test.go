package mqtt

import "testing"

func TestDisconnectBytes(t *testing.T) {
	for _, v := range versions {
		golden(t, v, &Disconnect{}, "E0 00")
	}
	golden(t, V5, &Disconnect{Code: DisconnectWithWillMessage}, "E0 01 04")
	golden(t, V5, &Disconnect{Code: ServerMoved, Properties: &Properties{Has: ServerReference, ServerReference: "b:1883"}},
		"E0 0B 9D 09 1C 00 06 62 3A 31 38 38 33")
	golden(t, V5, &Disconnect{Properties: &Properties{Has: SessionExpiryInterval}}, "E0 07 00 05 11 00 00 00 00")
}

func TestDisconnectForms(t *testing.T) {
	for _, b := range []string{"E0 01 00", "E0 02 00 00"} { // longer than need be, but right
		if p, err := parseWhole(unhex(t, b), V5); err != nil || *p.(*Disconnect) != (Disconnect{}) {
			t.Errorf("%s: %+v, %v", b, p, err)
		}
	}
	if b, err := (&Disconnect{Code: ServerBusy}).Append(nil, V311); err != nil || string(b) != "\xE0\x00" {
		t.Errorf("3.1.1 has no reason code: % X, %v", b, err)
	}
}

func TestDisconnectRefused(t *testing.T) {
	refuses(t, []refusal{
		{"reason code", V311, "E0 01 00", MalformedPacket, ""},
		{"a code of CONNACK", V5, "E0 01 84", ProtocolError, "MQTT-3.14.2-1"},
		{"a code that does not exist", V5, "E0 01 03", ProtocolError, "MQTT-3.14.2-1"},
		{"bytes left over", V5, "E0 03 00 00 00", MalformedPacket, ""},
		{"receive maximum", V5, "E0 05 00 03 21 00 01", MalformedPacket, ""},
		{"flags in the first byte", V311, "E2 00", MalformedPacket, "MQTT-3.14.1-1"},
	})
	wantAppendError(t, &Disconnect{Code: UnsupportedProtocolVersion}, V5, ProtocolError, "MQTT-3.14.2-1")
	truncations(t, V5, unhex(t, "E0 07 00 05 11 00 00 00 00"), 0, 1)
}
