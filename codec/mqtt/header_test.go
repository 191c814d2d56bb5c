package mqtt

import (
	"bytes"
	"testing"
)

func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		bytes string
		want  Header
		n     int
	}{
		{"C0 00", Header{PINGREQ, 0, 0}, 2},
		{"3D 7F FF", Header{PUBLISH, 0xD, 127}, 2}, // the bounds of each size: MQTT 5.0 §1.5.5, table 1-1
		{"30 80 01", Header{PUBLISH, 0, 128}, 3},
		{"30 FF 7F", Header{PUBLISH, 0, 16_383}, 3},
		{"30 80 80 01", Header{PUBLISH, 0, 16_384}, 4},
		{"30 FF FF 7F", Header{PUBLISH, 0, 2_097_151}, 4},
		{"30 80 80 80 01", Header{PUBLISH, 0, 2_097_152}, 5},
		{"30 FF FF FF 7F", Header{PUBLISH, 0, MaxLength}, 5},
		{"", Header{}, 0},
		{"30", Header{}, 0},
		{"30 80", Header{}, 0},
		{"30 FF FF", Header{}, 0},
		{"30 FF FF FF", Header{}, 0},
	} {
		h, n, err := ParseHeader(unhex(t, c.bytes))
		if err != nil || n != c.n || n > 0 && h != c.want {
			t.Errorf("%s: got %+v, %d, %v; want %+v, %d", c.bytes, h, n, err, c.want, c.n)
		}
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	for _, c := range []struct{ bytes, statement string }{
		{"00", ""}, // found without waiting for the length
		{"30 FF FF FF 80", "MQTT-1.5.5-1"},
		{"30 FF FF FF FF 7F", "MQTT-1.5.5-1"},
		{"30 80 00", "MQTT-1.5.5-1"},
		{"30 80 80 80 00", "MQTT-1.5.5-1"},
		{"36", "MQTT-3.3.1-4"},
		{"3F", "MQTT-3.3.1-4"},
		{"38", "MQTT-3.3.1-2"},
		{"60", "MQTT-3.6.1-1"},
		{"80", "MQTT-3.8.1-1"},
		{"83", "MQTT-3.8.1-1"},
		{"A0", "MQTT-3.10.1-1"},
		{"E1", "MQTT-3.14.1-1"},
		{"F1", "MQTT-3.15.1-1"},
	} {
		h, n, err := ParseHeader(unhex(t, c.bytes))
		wantError(t, err, MalformedPacket, c.statement)
		if n != 0 || h != (Header{}) {
			t.Errorf("%s: got %+v, %d with the error", c.bytes, h, n)
		}
	}
}

func TestReservedFlagsOfEveryType(t *testing.T) {
	want := map[Type]byte{PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
	for typ := CONNECT; typ <= AUTH; typ++ {
		for flags := range byte(16) {
			if typ == PUBLISH {
				continue // all of its flags mean something
			}
			for _, v := range versions {
				// 3.1 knew retries of these three, with the DUP flag set.
				old := v == V31 && want[typ] == 2 && flags == 0xA
				if err := checkFlags(typ, flags, v); (err == nil) != (flags == want[typ] || old) {
					t.Errorf("%s in %s with flags %04b: %v", typ, v, flags, err)
				}
			}
			if flags != want[typ] && flags != 0xA {
				if _, _, err := ParseHeader([]byte{byte(typ)<<4 | flags, 0}); err == nil {
					t.Errorf("%s with flags %04b: the header was accepted", typ, flags)
				}
			}
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	for _, s := range []string{"", "C000", "30FFFFFF7F", "308000", "30FFFFFFFF7F", "00", "36"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParseHeader(b)
		if err != nil || n == 0 {
			if h != (Header{}) && err != nil || n != 0 {
				t.Fatalf("% X: %+v, %d beside %v", b, h, n, err)
			}
			if err == nil && len(b) >= 5 {
				t.Fatalf("% X: 5 bytes are always enough", b)
			}
			return
		}
		again := appendVarint([]byte{byte(h.Type)<<4 | h.Flags}, uint32(h.Length))
		if n != len(again) || !bytes.Equal(again, b[:n]) || h.Length > MaxLength {
			t.Fatalf("% X: read as %+v, written as % X", b[:n], h, again)
		}
	})
}
