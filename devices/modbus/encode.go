package modbus

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// encode makes the registers of a command's value, in wire order; for a coil, one byte, 0 or 1. now holds the registers
// as they are; only a point that shares its register needs it.
func (p *point) encode(v any, now []byte) ([]byte, error) {
	if name, ok := v.(string); ok && p.enum != nil {
		n, known := p.numbers[name]
		if !known {
			return nil, fmt.Errorf("%q is no name in enum", name)
		}
		v = n
	}
	switch p.format.name {
	case "bit":
		return p.encodeBit(v, now)
	case "string":
		return p.encodeString(v)
	case "raw":
		text, _ := v.(string)
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 2*int(p.count) {
			return nil, fmt.Errorf("%v is no raw value; send %d bytes as a string of hexadecimal digits", v, 2*p.count)
		}
		return b, nil
	}
	bits, err := p.encodeNumber(v)
	if err != nil {
		return nil, err
	}
	switch p.format.half {
	case 'L':
		bits |= number(p.order.arrange(now)) &^ 0xFF
	case 'H':
		bits = bits<<8 | number(p.order.arrange(now))&0xFF
	}
	return p.order.arrange(bytes(bits, int(p.count))), nil
}

func (p *point) encodeBit(v any, now []byte) ([]byte, error) {
	on, err := toBool(v)
	if err != nil {
		return nil, err
	}
	n := uint64(0)
	if on {
		n = 1
	}
	if p.kind.bits() {
		return []byte{byte(n)}, nil
	}
	bits := number(p.order.arrange(now))&^(1<<p.bit) | n<<p.bit
	return p.order.arrange(bytes(bits, 1)), nil
}

// toBool takes true and false, 1 and 0, "on" and "off".
func toBool(v any) (bool, error) {
	switch v {
	case true, int64(1), uint64(1), 1.0, "on", "true":
		return true, nil
	case false, int64(0), uint64(0), 0.0, "off", "false":
		return false, nil
	}
	return false, fmt.Errorf("%v is no bit; send true or false", v)
}

func (p *point) encodeString(v any) ([]byte, error) {
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no string", v)
	}
	b := make([]byte, 2*int(p.count))
	if copy(b, text) < len(text) {
		return nil, fmt.Errorf("%q has %d bytes; the point has room for %d", text, len(text), len(b))
	}
	return order{swapBytes: p.order.swapBytes}.arrange(b), nil
}

// encodeNumber makes the bits of a number, big endian, after the limits were looked at.
func (p *point) encodeNumber(v any) (uint64, error) {
	f, err := toFloat(v)
	if err != nil {
		return 0, err
	}
	if p.min != nil && f < *p.min || p.max != nil && f > *p.max {
		return 0, fmt.Errorf("%v is outside of the point's limits%s", v, p.limits())
	}
	scaled := p.scale != 1 || p.offset != 0
	if scaled {
		f = p.down(f)
	}
	if p.format.float {
		return p.floatBits(f, v)
	}
	whole := new(big.Int)
	switch n := v.(type) {
	case int64:
		whole.SetInt64(n)
	case uint64:
		whole.SetUint64(n)
	}
	if _, float := v.(float64); float || scaled {
		r := math.Round(f)
		if !scaled && r != f {
			return 0, fmt.Errorf("%v is not a whole number, and the point has no scale", v)
		}
		if math.IsInf(r, 0) || math.IsNaN(r) {
			return 0, fmt.Errorf("%v is out of range", v)
		}
		big.NewFloat(r).Int(whole)
	}
	return p.intBits(whole, v)
}

// intBits makes two's complement of a number that the format can hold.
func (p *point) intBits(n *big.Int, v any) (uint64, error) {
	size := uint(p.format.bits)
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), size)
	if p.format.signed {
		half := new(big.Int).Lsh(big.NewInt(1), size-1)
		low, high = new(big.Int).Neg(half), half
	}
	high.Sub(high, big.NewInt(1))
	if n.Cmp(low) < 0 || n.Cmp(high) > 0 {
		return 0, fmt.Errorf("%v is out of range: a register of type %s holds %v to %v, and this would be %v", v, p.format.name, low, high, n)
	}
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), size))
	}
	if p.isSentinel(n.Uint64(), 0, false) {
		return 0, fmt.Errorf("%v is what the device uses to say that it has no value", v)
	}
	return n.Uint64(), nil
}

// floatBits makes the IEEE 754 bits of a number that the format can hold.
func (p *point) floatBits(f float64, v any) (bits uint64, err error) {
	ok := !math.IsNaN(f) && !math.IsInf(f, 0)
	switch p.count {
	case 1:
		var h uint16
		h, ok = toHalf(f)
		bits, f = uint64(h), float64(fromHalf(h))
	case 2:
		ok = ok && !math.IsInf(float64(float32(f)), 0)
		bits, f = uint64(math.Float32bits(float32(f))), float64(float32(f))
	default:
		bits = math.Float64bits(f)
	}
	if !ok {
		return 0, fmt.Errorf("%v is out of the range of a %s", v, p.format.name)
	}
	if p.isSentinel(bits, f, true) {
		return 0, fmt.Errorf("%v is what the device uses to say that it has no value", v)
	}
	return bits, nil
}

// isSentinel says whether these bits would be read as no value.
func (p *point) isSentinel(bits uint64, f float64, float bool) bool {
	return slices.ContainsFunc(p.sentinels, func(s sentinel) bool {
		return s.exact && s.bits == bits || !s.exact && float && s.value == f
	})
}

// toFloat takes numbers only: a string is no number, even if it looks like one.
func toFloat(v any) (float64, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, fmt.Errorf("%v is no number", v)
}

// limits words the point's limits.
func (p *point) limits() string {
	s := ""
	if p.min != nil {
		s += fmt.Sprintf(", min %v", *p.min)
	}
	if p.max != nil {
		s += fmt.Sprintf(", max %v", *p.max)
	}
	return s
}
