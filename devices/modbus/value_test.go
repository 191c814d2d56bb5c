package modbus

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/devices"
)

func f(v float64) *float64 { return &v }
func n(v int) *int         { return &v }

func TestReadings(t *testing.T) {
	for _, c := range []struct {
		name    string
		p       Point
		wire    string
		want    any
		quality devices.Quality
		reason  string
	}{
		{"plain", Point{}, "00ff", uint64(255), devices.Good, ""},
		{"scale by a tenth is exact", Point{Scale: f(0.1)}, "08fd", 230.1, devices.Good, ""},
		{"scale up", Point{Scale: f(10), Offset: -5}, "0003", 25.0, devices.Good, ""},
		{"negative scale", Point{Scale: f(-0.01), Type: "int16"}, "ffff", 0.01, devices.Good, ""},
		{"precision", Point{Type: "float32", Precision: n(2)}, "4048f5c3", 3.14, devices.Good, ""},
		{"precision of a third", Point{Scale: f(1.0 / 3), Precision: n(1)}, "0001", 0.3, devices.Good, ""},
		{"precision leaves integers", Point{Type: "int64", Precision: n(0)}, "7fffffffffffffff", int64(math.MaxInt64), devices.Good, ""},
		{"unsigned 64", Point{Type: "uint64"}, "ffffffffffffffff", uint64(math.MaxUint64), devices.Good, ""},
		{"sentinel bits", Point{Type: "int16", NaN: []Number{"0x8000"}, Scale: f(0.1)}, "8000", nil, devices.Bad, "it says -32768"},
		{"sentinel number", Point{Type: "int16", NaN: []Number{"-32768"}}, "8000", nil, devices.Bad, "no value"},
		{"not the sentinel", Point{Type: "int16", NaN: []Number{"0x8000"}}, "8001", int64(-32767), devices.Good, ""},
		{"sentinel of 32 bits", Point{Type: "uint32", NaN: []Number{"1", "4294967295"}}, "ffffffff", nil, devices.Bad, "no value"},
		{"sentinel of a float", Point{Type: "float32", NaN: []Number{"-999.9"}}, "c479f99a", nil, devices.Bad, "no value"},
		{"sentinel bits of a float", Point{Type: "float32", NaN: []Number{"0x7F7FFFFF"}}, "7f7fffff", nil, devices.Bad, "no value"},
		{"not a number", Point{Type: "float32"}, "7fc00000", nil, devices.Bad, "NaN"},
		{"infinite", Point{Type: "float64"}, "fff0000000000000", nil, devices.Bad, "-Inf"},
		{"half infinite", Point{Type: "float16"}, "7c00", nil, devices.Bad, "+Inf"},
		{"scaled beyond", Point{Type: "float64", Scale: f(1e300)}, "7fefffffffffffff", nil, devices.Bad, "too large"},
		{"below min", Point{Min: f(10)}, "0009", uint64(9), devices.Uncertain, "below min, which is 10"},
		{"above max", Point{Scale: f(0.5), Max: f(4)}, "0009", 4.5, devices.Uncertain, "above max, which is 4"},
		{"at the limits", Point{Min: f(9), Max: f(9)}, "0009", uint64(9), devices.Good, ""},
		{"enum", Point{Enum: map[string]string{"0": "off", "0x1": "heat"}}, "0001", "heat", devices.Good, ""},
		{"enum of a negative", Point{Type: "int16", Enum: map[string]string{"-1": "fault"}}, "ffff", "fault", devices.Good, ""},
		{"enum unknown", Point{Enum: map[string]string{"0": "off"}}, "0007", uint64(7), devices.Uncertain, "7 has no name in enum"},
		{"enum of a coil", Point{Register: "coil", Enum: map[string]string{"0": "open", "1": "closed"}}, "01", "closed", devices.Good, ""},
		{"string with spaces", Point{Type: "string", Length: 3}, "414220002020", "AB", devices.Good, ""},
		{"string full", Point{Type: "string", Length: 1}, "4142", "AB", devices.Good, ""},
	} {
		e := pointOf(t, c.p).read(unhex(t, c.wire), time.Now())
		if e.Value != c.want || e.Quality != c.quality || !strings.Contains(e.Reason, c.reason) || c.reason == "" && e.Reason != "" {
			t.Errorf("%s: %v (%T) %s %q; want %v (%T) %s %q", c.name, e.Value, e.Value, e.Quality, e.Reason, c.want, c.want, c.quality, c.reason)
		}
	}
}

func TestWrites(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Point
		v    any
		want string
	}{
		{"scale", Point{Scale: f(0.1), Type: "int16"}, 21.5, "00d7"},
		{"scale, to the nearest step", Point{Scale: f(0.1), Type: "int16"}, -21.54, "ff29"},
		{"scale and a whole number", Point{Scale: f(0.1)}, int64(3), "001e"},
		{"offset", Point{Offset: -40}, int64(25), "0041"},
		{"enum", Point{Enum: map[string]string{"2": "cool"}}, "cool", "0002"},
		{"enum by number", Point{Enum: map[string]string{"2": "cool"}}, int64(2), "0002"},
		{"enum of a coil", Point{Register: "coil", Enum: map[string]string{"0": "open", "1": "closed"}}, "closed", "01"},
		{"a whole float", Point{}, 3.0, "0003"},
		{"exact 64 bits", Point{Type: "int64"}, int64(math.MaxInt64), "7fffffffffffffff"},
		{"exact unsigned", Point{Type: "uint64"}, uint64(math.MaxUint64), "ffffffffffffffff"},
		{"an integer as float", Point{Type: "float32"}, int64(1), "3f800000"},
		{"coil by number", Point{Register: "coil"}, int64(1), "01"},
		{"coil by word", Point{Register: "coil"}, "off", "00"},
		{"string is filled up", Point{Type: "string", Length: 2}, "A", "41000000"},
	} {
		b, err := pointOf(t, c.p).encode(c.v, nil)
		if err != nil || fmt.Sprintf("%x", b) != c.want {
			t.Errorf("%s: %x, %v; want %s", c.name, b, err, c.want)
		}
	}
}

func TestWritesRefused(t *testing.T) {
	for _, c := range []struct {
		p    Point
		v    any
		want string
	}{
		{Point{Type: "int16"}, int64(32768), "32768 is out of range: a register of type int16 holds -32768 to 32767"},
		{Point{Type: "int16"}, int64(-32769), "out of range"},
		{Point{Type: "uint16"}, int64(-1), "out of range"},
		{Point{Type: "int8-low"}, int64(128), "holds -128 to 127"},
		{Point{Type: "int64"}, uint64(1 << 63), "out of range"},
		{Point{Type: "uint64"}, 1.8446744073709552e19, "out of range"},
		{Point{Type: "int16", Scale: f(0.1)}, 3276.8, "and this would be 32768"},
		{Point{Scale: f(1e-300)}, 1e300, "out of range"},
		{Point{}, 21.5, "not a whole number"},
		{Point{}, true, "no number"},
		{Point{}, "21", "no number"},
		{Point{}, math.NaN(), "not a whole number"},
		{Point{Type: "float32"}, 1e39, "out of the range of a float32"},
		{Point{Type: "float16"}, int64(70000), "out of the range of a float16"},
		{Point{Type: "float64", Scale: f(1e-300)}, 1e300, "out of the range"},
		{Point{Min: f(10), Max: f(30)}, int64(31), "outside of the point's limits, min 10, max 30"},
		{Point{Min: f(10)}, 9.9, "limits"},
		{Point{NaN: []Number{"0xFFFF"}}, int64(65535), "no value"},
		{Point{Type: "float32", NaN: []Number{"-1"}}, int64(-1), "no value"},
		{Point{Enum: map[string]string{"1": "on"}}, "of", `"of" is no name in enum`},
		{Point{Register: "coil"}, int64(2), "no bit"},
		{Point{Register: "coil"}, "maybe", "no bit"},
		{Point{Type: "string", Length: 1}, "ABC", "has 3 bytes; the point has room for 2"},
		{Point{Type: "string", Length: 1}, int64(1), "no string"},
		{Point{Type: "raw", Length: 1}, "01", "2 bytes"},
		{Point{Type: "raw", Length: 1}, "xyz!", "hexadecimal"},
	} {
		if b, err := pointOf(t, c.p).encode(c.v, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v was taken as %x, %v; want an error about %q", c.p, c.v, b, err, c.want)
		}
	}
}

// Whatever registers hold, a reading that is good is a value, and it can be written back to read the same.
func FuzzRead(fz *testing.F) {
	for i := range formats {
		fz.Add(byte(i), byte(0), []byte{0, 1, 2, 3, 4, 5, 6, 7})
		fz.Add(byte(i), byte(3), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	}
	fz.Fuzz(func(t *testing.T, format, order byte, wire []byte) {
		c := Point{Type: formats[int(format)%len(formats)].name, Order: []string{"ABCD", "BADC", "CDAB", "DCBA"}[order%4]}
		switch c.Type {
		case "bit":
			c.Bit = n(int(order>>2) & 15)
		case "string", "raw":
			c.Length = 4
		}
		p := pointOf(t, c)
		if len(wire) < 2*int(p.count) {
			return
		}
		wire = wire[:2*p.count]
		e := p.read(wire, time.Now())
		if e.Quality != devices.Good {
			if e.Value != nil {
				t.Errorf("%s with the value %v", e.Quality, e.Value)
			}
			return
		}
		b, err := p.encode(commandValue(e.Value), wire)
		if err != nil {
			t.Fatalf("%x is %v, which cannot be written: %v", wire, e.Value, err)
		}
		if again := p.read(b, time.Now()); again.Value != e.Value {
			t.Errorf("%x is %v, written as %x, which is %v", wire, e.Value, b, again.Value)
		}
	})
}
