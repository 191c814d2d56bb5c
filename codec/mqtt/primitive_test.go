package mqtt

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestVarintBounds(t *testing.T) {
	for _, c := range []struct {
		x    uint32
		want string
	}{ // MQTT 5.0 §1.5.5, table 1-1
		{0, "00"}, {127, "7F"}, {128, "80 01"}, {16_383, "FF 7F"}, {16_384, "80 80 01"}, {2_097_151, "FF FF 7F"}, {2_097_152, "80 80 80 01"}, {MaxLength, "FF FF FF 7F"},
	} {
		b := appendVarint(nil, c.x)
		if !bytes.Equal(b, unhex(t, c.want)) || varintSize(c.x) != len(b) {
			t.Errorf("%d: % X, size %d; want %s", c.x, b, varintSize(c.x), c.want)
		}
	}
}

func TestVarintRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Uint32Range(0, MaxLength).Draw(t, "x")
		b := appendVarint(nil, x)
		got, n, err := parseVarint(append(b, 0xFF))
		if err != nil || got != x || n != len(b) {
			t.Fatalf("% X: got %d, %d, %v", b, got, n, err)
		}
		for i := range b {
			if _, n, err := parseVarint(b[:i]); n != 0 || err != nil {
				t.Fatalf("% X: %d, %v; want to hear that more is needed", b[:i], n, err)
			}
		}
	})
}

func TestStrings(t *testing.T) {
	for s, statement := range map[string]string{
		"": "", "a": "", "\u0001\u007f\u0085": "", "\uFFFF\uFEFF\U0010FFFF": "", // allowed, if not recommended (§1.5.4)
		"a\x00": "MQTT-1.5.4-2", "\x80": "MQTT-1.5.4-1", "\xC0\xAF": "MQTT-1.5.4-1", "\xED\xBF\xBF": "MQTT-1.5.4-1", "\xF5\x80\x80\x80": "MQTT-1.5.4-1", "é\xC3": "MQTT-1.5.4-1",
	} {
		b := append([]byte{0, byte(len(s))}, s...)
		r := reader{b: b, t: CONNECT}
		got := r.string("client identifier")
		if err := r.end(); statement == "" && (err != nil || got != s) {
			t.Errorf("%q: got %q, %v", s, got, err)
		} else if statement != "" {
			wantError(t, err, MalformedPacket, statement)
		}
	}
}

// Appending to a field must not overwrite what follows it in the packet.
func TestFieldsHaveNoRoomToGrow(t *testing.T) {
	b := []byte{0, 1, 'a', 0, 1, 'b'}
	r := reader{b: b, t: CONNECT}
	first := r.bytes("first")
	_ = append(first, 'X')
	if second := r.bytes("second"); string(second) != "b" {
		t.Errorf("got %q", second)
	}
}

func TestFirstErrorStays(t *testing.T) {
	r := reader{b: []byte{1}, t: CONNECT}
	if r.uint16("keep alive") != 0 || r.uint8("flags") != 0 || r.uint32("x") != 0 || r.varint("x") != 0 || r.bytes("x") != nil || r.string("x") != "" {
		t.Error("a value after an error")
	}
	err := r.end()
	wantError(t, err, MalformedPacket, "")
	if !strings.Contains(err.Error(), "keep alive") {
		t.Errorf("the first error is lost: %v", err)
	}
}
