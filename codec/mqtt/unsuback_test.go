package mqtt

import "testing"

func TestUnsubackBytes(t *testing.T) {
	for _, v := range []Version{V31, V311} {
		golden(t, v, &Unsuback{PacketID: 10}, "B0 02 00 0A")
	}
	golden(t, V5, &Unsuback{PacketID: 10, Codes: []ReasonCode{Success, NoSubscriptionExisted, NotAuthorized}}, "B0 06 00 0A 00 00 11 87")
	golden(t, V5, &Unsuback{PacketID: 10, Codes: []ReasonCode{Success}, Properties: &Properties{Has: ReasonString}}, "B0 07 00 0A 03 1F 00 00 00")
}

func TestUnsubackOf3xHasNoCodes(t *testing.T) {
	b, err := (&Unsuback{PacketID: 1, Codes: []ReasonCode{NoSubscriptionExisted}}).Append(nil, V311)
	if err != nil || string(b) != "\xB0\x02\x00\x01" {
		t.Errorf("got % X, %v", b, err)
	}
}

func TestUnsubackRefused(t *testing.T) {
	refuses(t, []refusal{
		{"packet identifier 0", V311, "B0 02 00 00", ProtocolError, "MQTT-2.2.1-6"},
		{"reason code", V311, "B0 03 00 01 00", MalformedPacket, ""},
		{"no reason code", V5, "B0 03 00 01 00", ProtocolError, "MQTT-3.11.3-1"},
		{"a code of SUBACK", V5, "B0 04 00 01 00 01", ProtocolError, "MQTT-3.11.3-2"},
		{"empty", V5, "B0 00", MalformedPacket, ""},
		{"topic alias", V5, "B0 07 00 01 03 23 00 01 00", MalformedPacket, ""},
	})
	wantAppendError(t, &Unsuback{Codes: []ReasonCode{Success}}, V5, ProtocolError, "MQTT-2.2.1-6")
	wantAppendError(t, &Unsuback{PacketID: 1}, V5, ProtocolError, "MQTT-3.11.3-1")
	wantAppendError(t, &Unsuback{PacketID: 1, Codes: []ReasonCode{GrantedQoS2}}, V5, ProtocolError, "MQTT-3.11.3-2")
	truncations(t, V311, unhex(t, "B0 02 00 01"))
}
