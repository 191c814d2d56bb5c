package mqtt

import "testing"

func TestSubackBytes(t *testing.T) {
	// The payload of MQTT 3.1.1 §3.9.3, figure 3.27: QoS 0, QoS 2, failure.
	for _, v := range []Version{V31, V311} {
		golden(t, v, &Suback{PacketID: 10, Codes: []ReasonCode{GrantedQoS0, GrantedQoS2, UnspecifiedError}}, "90 05 00 0A 00 02 80")
	}
	golden(t, V5, &Suback{PacketID: 10, Codes: []ReasonCode{GrantedQoS1, NotAuthorized, WildcardSubscriptionsNotSupported}}, "90 06 00 0A 00 01 87 A2")
	golden(t, V5, &Suback{PacketID: 1, Codes: []ReasonCode{GrantedQoS0}, Properties: &Properties{User: []UserProperty{{"", "v"}}}},
		"90 0A 00 01 06 26 00 00 00 01 76 00")
}

func TestSubackOf3xHasOneFailure(t *testing.T) {
	b, err := (&Suback{PacketID: 1, Codes: []ReasonCode{TopicFilterInvalid, GrantedQoS1, NotAuthorized}}).Append(nil, V311)
	if err != nil || string(b) != "\x90\x05\x00\x01\x80\x01\x80" {
		t.Errorf("got % X, %v", b, err)
	}
}

func TestSubackRefused(t *testing.T) {
	refuses(t, []refusal{
		{"packet identifier 0", V311, "90 03 00 00 00", ProtocolError, "MQTT-2.2.1-6"},
		{"no reason code", V311, "90 02 00 01", ProtocolError, "MQTT-3.8.4-6"},
		{"no reason code", V5, "90 03 00 01 00", ProtocolError, "MQTT-3.8.4-6"},
		{"return code 3", V311, "90 03 00 01 03", ProtocolError, "MQTT-3.9.3-2"},
		{"return code 0x87", V311, "90 03 00 01 87", ProtocolError, "MQTT-3.9.3-2"},
		{"a code of UNSUBACK", V5, "90 04 00 01 00 11", ProtocolError, "MQTT-3.9.3-2"},
		{"empty", V5, "90 00", MalformedPacket, ""},
		{"no property length", V5, "90 02 00 01", MalformedPacket, ""},
		{"subscription identifier", V5, "90 06 00 01 02 0B 01 00", MalformedPacket, ""},
	})
	wantAppendError(t, &Suback{Codes: []ReasonCode{0}}, V5, ProtocolError, "MQTT-2.2.1-6")
	wantAppendError(t, &Suback{PacketID: 1}, V5, ProtocolError, "MQTT-3.8.4-6")
	wantAppendError(t, &Suback{PacketID: 1, Codes: []ReasonCode{3}}, V311, ProtocolError, "MQTT-3.9.3-2")
	truncations(t, V5, unhex(t, "90 07 00 01 03 1F 00 00 00"))
}
