package mqtt

import "testing"

func TestUnsubscribeBytes(t *testing.T) {
	// The payload of MQTT 5.0 §3.10.3.1 and 3.1.1 §3.10.3: a/b and c/d.
	two := []string{"a/b", "c/d"}
	for _, v := range []Version{V31, V311} {
		golden(t, v, &Unsubscribe{PacketID: 10, Filters: two}, "A2 0C 00 0A 00 03 61 2F 62 00 03 63 2F 64")
	}
	golden(t, V5, &Unsubscribe{PacketID: 10, Filters: two}, "A2 0D 00 0A 00 00 03 61 2F 62 00 03 63 2F 64")
	golden(t, V5, &Unsubscribe{PacketID: 1, Filters: []string{"#"}, Properties: &Properties{User: []UserProperty{{"k", ""}, {"k", ""}}}},
		"A2 12 00 01 0C 26 00 01 6B 00 00 26 00 01 6B 00 00 00 01 23")
}

func TestUnsubscribeRefused(t *testing.T) {
	refuses(t, []refusal{
		{"packet identifier 0", V311, "A2 05 00 00 00 01 61", ProtocolError, "MQTT-2.2.1-3"},
		{"no filter", V311, "A2 02 00 01", ProtocolError, "MQTT-3.10.3-2"},
		{"no filter", V5, "A2 03 00 01 00", ProtocolError, "MQTT-3.10.3-2"},
		{"empty", V5, "A2 00", MalformedPacket, ""},
		{"filter cut", V311, "A2 05 00 01 00 02 61", MalformedPacket, ""},
		{"filter empty", V311, "A2 04 00 01 00 00", TopicFilterInvalid, "MQTT-4.7.3-1"},
		{"filter a#", V5, "A2 07 00 01 00 00 02 61 23", TopicFilterInvalid, "MQTT-4.7.1-1"},
		{"filter ill-formed", V311, "A2 05 00 01 00 01 80", MalformedPacket, "MQTT-1.5.4-1"},
		{"reason string", V5, "A2 09 00 01 03 1F 00 00 00 01 61", MalformedPacket, ""},
		{"first byte A0", V311, "A0 05 00 01 00 01 61", MalformedPacket, "MQTT-3.10.1-1"},
	})
	wantAppendError(t, &Unsubscribe{Filters: []string{"a"}}, V311, ProtocolError, "MQTT-2.2.1-3")
	wantAppendError(t, &Unsubscribe{PacketID: 1}, V311, ProtocolError, "MQTT-3.10.3-2")
	wantAppendError(t, &Unsubscribe{PacketID: 1, Filters: []string{"a", "b\x00"}}, V311, MalformedPacket, "MQTT-1.5.4-2")
	truncations(t, V311, unhex(t, "A2 08 00 01 00 01 61 00 01 62"), 5)
}
