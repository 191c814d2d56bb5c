package mqtt

import "testing"

func TestAuthBytes(t *testing.T) {
	golden(t, V5, &Auth{}, "F0 00")
	golden(t, V5, &Auth{Code: ContinueAuthentication, Properties: &Properties{
		Has: AuthenticationMethod | AuthenticationData, AuthenticationMethod: "M", AuthenticationData: []byte{1, 2},
	}}, "F0 0B 18 09 15 00 01 4D 16 00 02 01 02")
	golden(t, V5, &Auth{Code: ReAuthenticate, Properties: &Properties{Has: AuthenticationMethod, AuthenticationMethod: "M"}}, "F0 06 19 04 15 00 01 4D")
	if p, err := parseWhole(unhex(t, "F0 02 00 00"), V5); err != nil || *p.(*Auth) != (Auth{}) {
		t.Errorf("the long form of success: %+v, %v", p, err)
	}
}

func TestAuthRefused(t *testing.T) {
	refuses(t, []refusal{
		{"not in this version", V31, "F0 00", ProtocolError, ""},
		{"not in this version", V311, "F0 00", ProtocolError, ""},
		{"no property length", V5, "F0 01 00", MalformedPacket, ""},
		{"no method", V5, "F0 02 18 00", ProtocolError, "MQTT-4.12.0-5"},
		{"data without a method", V5, "F0 05 00 03 16 00 00", ProtocolError, ""},
		{"a code of CONNACK", V5, "F0 06 87 04 15 00 01 4D", ProtocolError, "MQTT-3.15.2-1"},
		{"server reference", V5, "F0 05 00 03 1C 00 00", MalformedPacket, ""},
		{"flags in the first byte", V5, "F1 00", MalformedPacket, "MQTT-3.15.1-1"},
	})
	wantAppendError(t, &Auth{}, V311, ProtocolError, "")
	wantAppendError(t, &Auth{Code: ReAuthenticate}, V5, ProtocolError, "MQTT-4.12.0-5")
	truncations(t, V5, unhex(t, "F0 06 19 04 15 00 01 4D"), 0)
}
