package modbus

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edged/edged/devices"
)

// pointOf makes a checked point of options as YAML would give them.
func pointOf(t testing.TB, c Point) *point {
	t.Helper()
	o := DefaultOptions()
	if c.Name == "" {
		c.Name = "p"
	}
	if c.Register == "" {
		c.Register = "holding"
	}
	if c.Address == "" {
		c.Address = "0"
	}
	p, err := o.compilePoint("", c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every type in every order: what is on the wire, and what it means. Each is also written back to the same bytes.
func TestTypesAndOrders(t *testing.T) {
	bit := 9
	for _, c := range []struct {
		typ  string
		want any
		wire [4]string // ABCD, BADC, CDAB, DCBA
	}{
		{"bit", true, [4]string{"0200", "0002", "0200", "0002"}},
		{"bit", false, [4]string{"fdff", "fffd", "fdff", "fffd"}},
		{"int8-low", int64(-2), [4]string{"00fe", "fe00", "00fe", "fe00"}},
		{"int8-high", int64(-2), [4]string{"fe00", "00fe", "fe00", "00fe"}},
		{"uint8-low", uint64(0xfe), [4]string{"00fe", "fe00", "00fe", "fe00"}},
		{"uint8-high", uint64(0xfe), [4]string{"fe00", "00fe", "fe00", "00fe"}},
		{"int16", int64(-2), [4]string{"fffe", "feff", "fffe", "feff"}},
		{"uint16", uint64(0x1234), [4]string{"1234", "3412", "1234", "3412"}},
		{"int32", int64(-559038737), [4]string{"deadbeef", "addeefbe", "beefdead", "efbeadde"}},
		{"uint32", uint64(0xdeadbeef), [4]string{"deadbeef", "addeefbe", "beefdead", "efbeadde"}},
		{"int64", int64(-0x0123456789abcdf0), [4]string{"fedcba9876543210", "dcfe98ba54761032", "32107654ba98fedc", "1032547698badcfe"}},
		{"uint64", uint64(0x0123456789abcdef), [4]string{"0123456789abcdef", "23016745ab89efcd", "cdef89ab45670123", "efcdab8967452301"}},
		{"float16", float32(-1.5), [4]string{"be00", "00be", "be00", "00be"}},
		{"float32", float32(230.5), [4]string{"43668000", "66430080", "80004366", "00806643"}},
		{"float64", 230.5, [4]string{"406cd00000000000", "6c4000d000000000", "00000000d000406c", "0000000000d06c40"}},
		{"string", "edge", [4]string{"65646765000000000000", "64656567000000000000", "65646765000000000000", "64656567000000000000"}},
		{"raw", "0102030405060708090a", [4]string{"0102030405060708090a", "0102030405060708090a", "0102030405060708090a", "0102030405060708090a"}},
	} {
		for i, orders := range [][]string{{"ABCD", "AB", "ABCDEFGH"}, {"BADC", "BA", "BADCFEHG"}, {"CDAB", "GHEFCDAB"}, {"DCBA", "hgfedcba"}} {
			for _, name := range orders {
				o := Point{Type: c.typ, Order: name, Writable: true}
				if c.typ == "bit" {
					o.Bit = &bit
				}
				if c.typ == "string" || c.typ == "raw" {
					o.Length = 5
				}
				p, wire := pointOf(t, o), unhex(t, c.wire[i])
				if e := p.read(wire, time.Now()); e.Value != c.want || e.Quality != devices.Good {
					t.Errorf("%s %s %x: read %v (%T) %s %s; want %v (%T)", c.typ, name, wire, e.Value, e.Value, e.Quality, e.Reason, c.want, c.want)
				}
				b, err := p.encode(commandValue(c.want), wire)
				if err != nil || string(b) != string(wire) {
					t.Errorf("%s %s: wrote %v as %x, %v; want %x", c.typ, name, c.want, b, err, wire)
				}
			}
		}
	}
}

// commandValue is a reading's value as it comes in a command.
func commandValue(v any) any {
	if f, ok := v.(float32); ok {
		return float64(f)
	}
	return v
}

// A value shares its register: the other bits stay.
func TestWritingAPartKeepsTheRest(t *testing.T) {
	bit := 3
	for _, c := range []struct {
		p    Point
		v    any
		want string
	}{
		{Point{Type: "bit", Bit: &bit}, false, "fff7"},
		{Point{Type: "bit", Bit: &bit, Order: "BADC"}, false, "f7ff"},
		{Point{Type: "int8-low"}, int64(0), "ff00"},
		{Point{Type: "uint8-high"}, int64(1), "01ff"},
		{Point{Type: "uint8-high", Order: "DCBA"}, int64(1), "ff01"},
	} {
		if b, err := pointOf(t, c.p).encode(c.v, []byte{0xff, 0xff}); err != nil || hex.EncodeToString(b) != c.want {
			t.Errorf("%+v: %x, %v; want %s", c.p, b, err, c.want)
		}
	}
}

func TestHalfPrecision(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 0x1p-14, 0x03ff: 1023 * 0x1p-24, 0x0001: 0x1p-24, 0x3555: 0.333251953125,
	} {
		if got := fromHalf(bits); float64(got) != want {
			t.Errorf("%04x: %v; want %v", bits, got, want)
		}
	}
	for bits := range uint32(0x10000) { // each one that is a number comes back
		f := fromHalf(uint16(bits))
		back, ok := toHalf(float64(f))
		if number := bits&0x7c00 != 0x7c00; ok != number || number && back != uint16(bits) {
			t.Fatalf("%04x is %v, and came back as %04x, %v", bits, f, back, ok)
		}
	}
	for f, want := range map[float64]uint16{1.0004: 0x3c00, 1.0005: 0x3c01, 65519: 0x7bff, 0x1p-25: 0, 0x1.8p-25: 1, 2047.9: 0x6800} {
		if got, ok := toHalf(f); !ok || got != want {
			t.Errorf("%v: %04x, %v; want %04x", f, got, ok, want)
		}
	}
	for _, f := range []float64{65520, math.Inf(1), math.NaN(), math.MaxFloat64} {
		if got, ok := toHalf(f); ok {
			t.Errorf("%v was taken as %04x", f, got)
		}
	}
}

// What is written is read back, for any type, order, and value that is taken.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bit := rapid.IntRange(0, 15).Draw(rt, "bit")
		f := rapid.SampledFrom(formats).Draw(rt, "format")
		c := Point{Type: f.name, Order: rapid.SampledFrom([]string{"ABCD", "BADC", "CDAB", "DCBA"}).Draw(rt, "order")}
		var v any
		switch {
		case f.name == "bit":
			c.Bit, v = &bit, rapid.Bool().Draw(rt, "v")
		case f.name == "raw":
			c.Length = 3
			v = hex.EncodeToString(rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(rt, "v"))
		case f.name == "string":
			c.Length, v = 10, rapid.StringMatching(`[!-~]{0,20}`).Draw(rt, "v")
		case f.name == "float16":
			v = float64(rapid.IntRange(-2048, 2048).Draw(rt, "v"))
		case f.name == "float32":
			v = float64(rapid.Float32().Draw(rt, "v"))
		case f.name == "float64":
			v = rapid.Float64().Draw(rt, "v")
		case f.signed:
			v = rapid.Int64().Draw(rt, "v") >> (64 - f.bits)
		default:
			v = rapid.Uint64().Draw(rt, "v") >> (64 - f.bits)
		}
		p := pointOf(t, c)
		now := rapid.SliceOfN(rapid.Byte(), 2, 2).Draw(rt, "now")
		wire, err := p.encode(v, now)
		if err != nil || len(wire) != 2*int(p.count) {
			rt.Fatalf("%v: %x, %v", v, wire, err)
		}
		if e := p.read(wire, time.Now()); fmt.Sprint(commandValue(e.Value)) != fmt.Sprint(v) || e.Quality != devices.Good {
			rt.Fatalf("wrote %v as %x, read %v %s", v, wire, e.Value, e.Reason)
		}
	})
}
