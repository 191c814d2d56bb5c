package mqtt

import (
	"strings"
	"testing"
)

func TestSubscribeBytes(t *testing.T) {
	// The examples of MQTT 5.0 §3.8.2.1 and §3.8.3.2, and of 3.1.1 §3.8.3: a/b with QoS 1, c/d with QoS 2.
	two := []Filter{{Filter: "a/b", QoS: 1}, {Filter: "c/d", QoS: 2}}
	golden(t, V5, &Subscribe{PacketID: 10, Filters: two}, "82 0F 00 0A 00 00 03 61 2F 62 01 00 03 63 2F 64 02")
	golden(t, V311, &Subscribe{PacketID: 10, Filters: two}, "82 0E 00 0A 00 03 61 2F 62 01 00 03 63 2F 64 02")
	golden(t, V31, &Subscribe{PacketID: 10, Filters: two}, "82 0E 00 0A 00 03 61 2F 62 01 00 03 63 2F 64 02")
	golden(t, V5, &Subscribe{
		PacketID: 1, Filters: []Filter{{"#", 0, true, true, 2}, {"$share/g/+", 1, false, true, 1}},
		Properties: &Properties{SubscriptionIdentifiers: []uint32{MaxLength}},
	}, "82 19 00 01 05 0B FF FF FF 7F 00 01 23 2C 00 0A 24 73 68 61 72 65 2F 67 2F 2B 19")
}

func TestSubscribeOf3xLeavesOutTheOptions(t *testing.T) {
	b, err := (&Subscribe{PacketID: 1, Filters: []Filter{{"#", 1, true, true, 2}}}).Append(nil, V311)
	if err != nil || string(b) != "\x82\x06\x00\x01\x00\x01#\x01" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestSubscribeRefused(t *testing.T) {
	refuses(t, []refusal{
		// The ten bytes that took a whole broker down: no options after the filter.
		{"cut before its options", V5, "82 08 00 01 00 00 03 61 2F 62", MalformedPacket, ""},
		{"cut before its options", V311, "82 07 00 01 00 03 61 2F 62", MalformedPacket, ""},
		{"packet identifier 0", V311, "82 06 00 00 00 01 61 00", ProtocolError, "MQTT-2.2.1-3"},
		{"no filter", V311, "82 02 00 01", ProtocolError, "MQTT-3.8.3-2"},
		{"no filter", V5, "82 03 00 01 00", ProtocolError, "MQTT-3.8.3-2"},
		{"empty", V5, "82 00", MalformedPacket, ""},
		{"filter empty", V311, "82 05 00 01 00 00 00", TopicFilterInvalid, "MQTT-4.7.3-1"},
		{"filter with U+0000", V311, "82 06 00 01 00 01 00 00", MalformedPacket, "MQTT-1.5.4-2"},
		{"QoS 3", V311, "82 06 00 01 00 01 61 03", MalformedPacket, "MQTT-3-8.3-4 of 3.1.1"},
		{"QoS 3", V5, "82 07 00 01 00 00 01 61 03", ProtocolError, ""},
		{"options of version 5", V311, "82 06 00 01 00 01 61 04", MalformedPacket, "MQTT-3-8.3-4 of 3.1.1"},
		{"reserved bit 6", V5, "82 07 00 01 00 00 01 61 41", MalformedPacket, "MQTT-3.8.3-5"},
		{"reserved bit 7", V5, "82 07 00 01 00 00 01 61 81", MalformedPacket, "MQTT-3.8.3-5"},
		{"retain handling 3", V5, "82 07 00 01 00 00 01 61 30", ProtocolError, ""},
		{"no local, shared", V5, "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 04", ProtocolError, "MQTT-3.8.3-4"},
		{"two subscription identifiers", V5, "82 0B 00 01 04 0B 01 0B 02 00 01 61 00", ProtocolError, ""},
		{"subscription identifier 0", V5, "82 09 00 01 02 0B 00 00 01 61 00", ProtocolError, ""},
		{"second filter wrong", V311, "82 0A 00 01 00 01 61 00 00 01 FF 00", MalformedPacket, "MQTT-1.5.4-1"},
		{"first byte 80", V311, "80 06 00 01 00 01 61 00", MalformedPacket, "MQTT-3.8.1-1"},
		{"DUP flag", V311, "8A 06 00 01 00 01 61 00", MalformedPacket, "MQTT-3.8.1-1"},
	})
}

func TestTopicFilters(t *testing.T) {
	good := []string{"#", "+", "/", "//", "a", "/a", "a/", "a/#", "+/#", "+/+", "a/+/b", "/+", "+/", "$SYS/#", "$share", "$shared/g/", "a/$share//", "ü/#"}
	bad := map[string]string{
		"a#": "MQTT-4.7.1-1", "#/a": "MQTT-4.7.1-1", "a/#/b": "MQTT-4.7.1-1", "##": "MQTT-4.7.1-1", "a/b#": "MQTT-4.7.1-1", "+#": "MQTT-4.7.1-1",
		"a+": "MQTT-4.7.1-2", "+a": "MQTT-4.7.1-2", "a/+b": "MQTT-4.7.1-2", "a/b+/c": "MQTT-4.7.1-2", "++": "MQTT-4.7.1-2", "": "MQTT-4.7.3-1",
	}
	shared := map[string]string{ // wrong in version 5 only
		"$share/": "MQTT-4.8.2-1", "$share//a": "MQTT-4.8.2-1", "$share/g": "MQTT-4.8.2-2", "$share/g/": "MQTT-4.8.2-2",
		"$share/+/a": "MQTT-4.8.2-2", "$share/#": "MQTT-4.8.2-2", "$share/g#/a": "MQTT-4.8.2-2",
	}
	for _, v := range versions {
		for _, s := range append(good, "$share/g/a", "$share/g//", "$share/g/#") {
			if e := checkTopicFilter(SUBSCRIBE, s, v); e != nil {
				t.Errorf("%s: %v", v, e)
			}
		}
		for s, statement := range bad {
			wantError(t, checkTopicFilter(SUBSCRIBE, s, v), TopicFilterInvalid, statement)
			wantAppendError(t, &Unsubscribe{PacketID: 1, Filters: []string{s}}, v, TopicFilterInvalid, statement)
			if s != "" {
				wantError(t, checkTopicFilter(SUBSCRIBE, "$share/g/"+s, V5), TopicFilterInvalid, statement)
			}
		}
	}
	for s, statement := range shared {
		wantError(t, checkTopicFilter(SUBSCRIBE, s, V5), TopicFilterInvalid, statement)
		if s == "$share/g" || s == "$share/g/" || s == "$share/" || s == "$share//a" || s == "$share/+/a" || s == "$share/#" {
			if e := checkTopicFilter(SUBSCRIBE, s, V311); e != nil {
				t.Errorf("3.1.1 has no shared subscriptions, so this is a filter like others: %v", e)
			}
		}
	}
}

func TestSubscribeManyFilters(t *testing.T) {
	p := &Subscribe{PacketID: 1}
	for range 10_000 {
		p.Filters = append(p.Filters, Filter{Filter: "a/+/" + strings.Repeat("x", 10), QoS: 2})
	}
	b, err := p.Append(nil, V5)
	if err != nil {
		t.Fatal(err)
	}
	q, err := parseWhole(b, V5)
	if err != nil || len(q.(*Subscribe).Filters) != 10_000 || cap(q.(*Subscribe).Filters) != 10_000 {
		t.Fatalf("%v", err)
	}
}

func TestSubscribeCutAndNotWritten(t *testing.T) {
	truncations(t, V311, unhex(t, "82 0A 00 01 00 01 61 00 00 01 62 00"), 6)
	truncations(t, V5, unhex(t, "82 0D 00 01 02 0B 05 00 01 61 00 00 01 62 00"), 9)
	wantAppendError(t, &Subscribe{Filters: []Filter{{Filter: "a"}}}, V5, ProtocolError, "MQTT-2.2.1-3")
	wantAppendError(t, &Subscribe{PacketID: 1}, V5, ProtocolError, "MQTT-3.8.3-2")
	wantAppendError(t, &Subscribe{PacketID: 1, Filters: []Filter{{Filter: "a", QoS: 3}}}, V5, ProtocolError, "")
	wantAppendError(t, &Subscribe{PacketID: 1, Filters: []Filter{{Filter: "a", QoS: 200}}}, V311, MalformedPacket, "MQTT-3-8.3-4 of 3.1.1")
	wantAppendError(t, &Subscribe{PacketID: 1, Filters: []Filter{{Filter: "a", RetainHandling: 3}}}, V5, ProtocolError, "")
	wantAppendError(t, &Subscribe{PacketID: 1, Filters: []Filter{{Filter: "$share/g/a", NoLocal: true}}}, V5, ProtocolError, "MQTT-3.8.3-4")
	wantAppendError(t, &Subscribe{PacketID: 1, Filters: []Filter{{Filter: "a"}}, Properties: &Properties{SubscriptionIdentifiers: []uint32{1, 2}}}, V5, ProtocolError, "")
}
