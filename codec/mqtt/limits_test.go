package mqtt

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	best := ^uint64(0)
	for range 3 { // other goroutines of the test binary may allocate meanwhile
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		best = min(best, after.TotalAlloc-before.TotalAlloc)
	}
	return best
}

// fixed is what a packet may take whatever its length: its struct, its properties, an error with its text.
const fixed = 2048

func TestMemoryOfAPacketIsBoundedByItsLength(t *testing.T) {
	publish := func(properties string, n int) []byte {
		body := strings.Repeat(properties, n)
		return append(appendVarint([]byte{0, 1, 't'}, uint32(len(body))), body...)
	}
	for _, c := range []struct {
		name  string
		typ   Type
		flags byte
		body  []byte
		times uint64 // bytes allocated for each byte of the packet
	}{
		{"payload", PUBLISH, 0, append([]byte{0, 1, 't', 0}, make([]byte, 1<<20)...), 0},
		{"reason codes", SUBACK, 0, append([]byte{0, 1, 0}, make([]byte, 1<<20)...), 2},
		{"subscription identifiers", PUBLISH, 0, publish("\x0B\x01", 100_000), 3},
		{"filters of 30 bytes", SUBSCRIBE, 2, append([]byte{0, 1, 0}, strings.Repeat("\x00\x1Edevices/boiler/temperature/+/#\x01", 10_000)...), 2},
		// The shortest entries that there are: a string takes 16 bytes of memory, and 2 in a packet.
		{"filters of 1 byte", SUBSCRIBE, 2, append([]byte{0, 1, 0}, strings.Repeat("\x00\x01a\x00", 100_000)...), 7},
		{"filters of 1 byte", UNSUBSCRIBE, 2, append([]byte{0, 1, 0}, strings.Repeat("\x00\x01a", 100_000)...), 7},
		{"empty user properties", PUBLISH, 0, publish("\x26\x00\x00\x00\x00", 100_000), 7},
		{"lists mixed", PUBLISH, 0, publish("\x26\x00\x00\x00\x00\x0B\x01", 100_000), 7},
	} {
		var err error
		got := allocated(func() { _, err = Parse(Header{Type: c.typ, Flags: c.flags, Length: len(c.body)}, c.body, V5) })
		if err != nil {
			t.Errorf("%s of %s: %v", c.name, c.typ, err)
		}
		if most := c.times*uint64(len(c.body)) + fixed; got > most {
			t.Errorf("%s of %s: %d bytes for a packet of %d; at most %d", c.name, c.typ, got, len(c.body), most)
		}
	}
}

func TestLyingLengthsAllocateNothing(t *testing.T) {
	long := bytes.Repeat([]byte{0xFF, 0xFF, 0xFF, 0x7F}, 20)
	for _, b := range corpus(t) {
		_, n, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b[n:] {
			// Wherever a length stands, it now says 65,535 or 268,435,455.
			body := append(bytes.Clone(b[n:n+i]), long...)
			for _, v := range versions {
				var perr error
				got := allocated(func() {
					_, perr = Parse(Header{Type: Type(b[0] >> 4), Flags: b[0] & 0xF, Length: len(body)}, body, v)
				})
				if got > 7*uint64(len(body))+fixed {
					t.Errorf("%s: %d bytes for a packet of %d (%v)", Type(b[0]>>4), got, len(body), perr)
				}
			}
		}
	}
	// A header that claims 256 MB allocates nothing at all.
	if n := testing.AllocsPerRun(10, func() {
		if h, n, err := ParseHeader([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}); err != nil || n != 5 || h.Length != MaxLength {
			t.Error(h, n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPacketTooLarge(t *testing.T) {
	payload := make([]byte, MaxLength-3)
	p := &Publish{Topic: "tt", Payload: payload}
	wantAppendError(t, p, V311, PacketTooLarge, "")
	_, err := p.Encode(V311)
	wantError(t, err, PacketTooLarge, "")
	// One byte of topic less, and only the two bytes of a packet identifier stand against sharing it.
	p.Topic = "t"
	_, err = p.Encode(V311)
	wantError(t, err, PacketTooLarge, "")
	// In version 5 the properties come on top; how long they are shows when they are written.
	p.Payload = payload[:MaxLength-6]
	p.Properties = &Properties{Has: PayloadFormatIndicator}
	_, err = p.Encode(V5)
	wantError(t, err, PacketTooLarge, "")
}
