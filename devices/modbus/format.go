package modbus

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// format is how a value lies in its registers.
type format struct {
	name string
	// registers it takes; 0: as many as the point's length says.
	registers int
	// bits of an integer, whose sign is told by signed; 0: it is something else.
	bits   int
	signed bool
	// half of its register: 'L' low, 'H' high.
	half byte
	// float: IEEE 754 with as many bits as the registers have.
	float bool
}

var formats = []format{
	{name: "bit", registers: 1},
	{name: "int8-low", registers: 1, bits: 8, signed: true, half: 'L'},
	{name: "int8-high", registers: 1, bits: 8, signed: true, half: 'H'},
	{name: "uint8-low", registers: 1, bits: 8, half: 'L'},
	{name: "uint8-high", registers: 1, bits: 8, half: 'H'},
	{name: "int16", registers: 1, bits: 16, signed: true},
	{name: "uint16", registers: 1, bits: 16},
	{name: "int32", registers: 2, bits: 32, signed: true},
	{name: "uint32", registers: 2, bits: 32},
	{name: "int64", registers: 4, bits: 64, signed: true},
	{name: "uint64", registers: 4, bits: 64},
	{name: "float16", registers: 1, float: true},
	{name: "float32", registers: 2, float: true},
	{name: "float64", registers: 4, float: true},
	{name: "string"},
	{name: "raw"},
}

// findFormat finds a format by its name.
func findFormat(name string) (format, bool) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return format{}, false
	}
	return formats[i], true
}

func formatNames() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// numeric: scale, limits and enum apply.
func (f format) numeric() bool { return f.bits > 0 || f.float }

// shared: it is a part of its register, so that writing it must keep the rest.
func (f format) shared() bool { return f.name == "bit" || f.half != 0 }

// order is a byte order. Both swaps are their own inverse.
type order struct{ swapBytes, swapRegisters bool }

// parseOrder reads the name of a byte order, of any length.
func parseOrder(name string) (order, bool) {
	switch strings.ToUpper(name) {
	case "AB", "ABCD", "ABCDEFGH":
		return order{}, true
	case "BA", "BADC", "BADCFEHG":
		return order{swapBytes: true}, true
	case "CDAB", "GHEFCDAB":
		return order{swapRegisters: true}, true
	case "DCBA", "HGFEDCBA":
		return order{true, true}, true
	}
	return order{}, false
}

// arrange turns wire order into big endian, and back.
func (o order) arrange(b []byte) []byte {
	b = slices.Clone(b)
	if o.swapBytes {
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
	}
	if o.swapRegisters {
		for i, j := 0, len(b)-2; i < j; i, j = i+2, j-2 {
			b[i], b[i+1], b[j], b[j+1] = b[j], b[j+1], b[i], b[i+1]
		}
	}
	return b
}

// number reads up to eight bytes as a big-endian number.
func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// bytes writes the low bits of n into count registers, big endian.
func bytes(n uint64, registers int) []byte {
	return binary.BigEndian.AppendUint64(nil, n)[8-2*registers:]
}

// fromHalf reads an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	exponent, fraction := int(h>>10&0x1F), float64(h&0x3FF)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 0x1F:
		f = math.Inf(1)
		if fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(1024+fraction, exponent-25)
	}
	if h&0x8000 != 0 {
		f = -f
	}
	return float32(f)
}

// toHalf writes the nearest binary16, ties to even; ok is false when f is beyond the largest one.
func toHalf(f float64) (h uint16, ok bool) {
	if math.Signbit(f) {
		h, f = 0x8000, -f
	}
	exponent := -14
	if f >= 0x1p-14 {
		_, e := math.Frexp(f)
		exponent = e - 1
	}
	// In units of the last place the fraction has eleven bits, of which the first is not stored.
	n := math.RoundToEven(math.Ldexp(f, 10-exponent))
	bits := uint32(n) + uint32(exponent+14)<<10
	if math.IsNaN(f) || n > 2048 || bits >= 0x7C00 {
		return 0, false
	}
	return h | uint16(bits), true
}
