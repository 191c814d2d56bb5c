package mqtt

import "testing"

func TestConnackBytes(t *testing.T) {
	for _, v := range []Version{V31, V311} {
		golden(t, v, &Connack{}, "20 02 00 00")
		golden(t, v, &Connack{Code: UnsupportedProtocolVersion}, "20 02 00 01")
		golden(t, v, &Connack{Code: ClientIdentifierNotValid}, "20 02 00 02")
		golden(t, v, &Connack{Code: ServerUnavailable}, "20 02 00 03")
		golden(t, v, &Connack{Code: BadUserNameOrPassword}, "20 02 00 04")
		golden(t, v, &Connack{Code: NotAuthorized}, "20 02 00 05")
	}
	golden(t, V311, &Connack{SessionPresent: true}, "20 02 01 00")
	golden(t, V5, &Connack{SessionPresent: true}, "20 03 01 00 00")
	golden(t, V5, &Connack{Code: ServerBusy}, "20 03 00 89 00")
	golden(t, V5, &Connack{Properties: &Properties{
		Has:                      AssignedClientIdentifier | ReceiveMaximum | TopicAliasMaximum | SharedSubscriptionAvailable,
		AssignedClientIdentifier: "x", ReceiveMaximum: 100, TopicAliasMaximum: 16,
	}}, "20 0F 00 00 0C  12 00 01 78  21 00 64  22 00 10  2A 00")
}

func TestConnackOf31HasNoSessionPresent(t *testing.T) {
	b, err := (&Connack{SessionPresent: true}).Append(nil, V31)
	if err != nil || string(b) != "\x20\x02\x00\x00" {
		t.Errorf("got % X, %v", b, err)
	}
	var p Connack
	if err := p.Parse(0, []byte{0xFF, 0}, V31); err != nil || p.SessionPresent {
		t.Errorf("got %+v, %v; that byte was not in use yet", p, err)
	}
}

func TestConnackRefused(t *testing.T) {
	refuses(t, []refusal{
		{"reserved bits", V311, "20 02 02 00", MalformedPacket, "MQTT-3.2.2-1"},
		{"return code 6", V311, "20 02 00 06", ProtocolError, "MQTT-3.2.2-8"},
		{"session present in a refusal", V311, "20 02 01 05", ProtocolError, "MQTT-3.2.2-6"},
		{"session present in a refusal", V5, "20 03 01 87 00", ProtocolError, "MQTT-3.2.2-6"},
		{"a reason code of SUBACK", V5, "20 03 00 8F 00", ProtocolError, "MQTT-3.2.2-8"},
		{"a property of CONNECT", V5, "20 05 00 00 02 17 01", MalformedPacket, ""},
		{"maximum QoS 2", V5, "20 05 00 00 02 24 02", ProtocolError, ""},
		{"empty", V5, "20 00", MalformedPacket, ""},
		{"bytes left over", V311, "20 03 00 00 00", MalformedPacket, ""},
		{"flags in the first byte", V5, "21 03 00 00 00", MalformedPacket, "MQTT-2.1.3-1"},
	})
}

func TestConnackCutAndNotWritten(t *testing.T) {
	truncations(t, V311, unhex(t, "20 02 00 00"))
	truncations(t, V5, unhex(t, "20 06 00 00 03 21 00 64"))
	wantAppendError(t, &Connack{SessionPresent: true, Code: NotAuthorized}, V5, ProtocolError, "MQTT-3.2.2-6")
	wantAppendError(t, &Connack{Code: TopicFilterInvalid}, V5, ProtocolError, "MQTT-3.2.2-8")
}
