package modbus

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/edged/edged/devices"
)

// point is a checked point.
type point struct {
	devices.Point
	kind         kind
	start, count uint16 // in registers, or bits for coils and discrete inputs
	format       format
	order        order
	bit          uint
	scale        float64
	offset       float64
	precision    int // -1: as it comes
	min, max     *float64
	enum         map[int64]string
	numbers      map[string]int64 // enum, inverted
	sentinels    []sentinel
	multiple     bool
	every        time.Duration
}

// sentinel is a number by which a device says that it has no value.
type sentinel struct {
	bits  uint64  // of the registers
	value float64 // of a float
	exact bool    // compare bits
}

// sentinel reads one entry of nan: bits when it is hexadecimal or beyond the signed range, else the number.
func (f format) sentinel(text string) (sentinel, error) {
	size := f.bits
	if f.float {
		size = 16 * f.registers
	}
	if n, err := Number(text).parse(); err == nil && (!f.float || strings.HasPrefix(strings.ToLower(text), "0x")) {
		if size < 64 && n>>size != 0 {
			return sentinel{}, fmt.Errorf("%s has more than %d bits", text, size)
		}
		return sentinel{bits: n, exact: true}, nil
	}
	if f.float {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return sentinel{}, fmt.Errorf("%q is no number", text)
		}
		if f.registers == 2 {
			v = float64(float32(v))
		}
		return sentinel{value: v}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !f.signed || n < -1<<(size-1) {
		return sentinel{}, fmt.Errorf("%q is no %s; write the number, or its bits in hexadecimal", text, f.name)
	}
	return sentinel{bits: uint64(n) & (math.MaxUint64 >> (64 - size)), exact: true}, nil
}

// read makes the reading of a point from its registers as they came, or from its bit in the first byte.
func (p *point) read(b []byte, now time.Time) devices.Event {
	e := devices.Event{Point: p.Name, Unit: p.Unit, Time: now, Quality: devices.Good}
	switch p.format.name {
	case "bit":
		on := b[0]&1 != 0
		if !p.kind.bits() {
			on = number(p.order.arrange(b))>>p.bit&1 != 0
		}
		e.Value = on
		if p.enum != nil {
			n := int64(0)
			if on {
				n = 1
			}
			p.name(&e, n)
		}
	case "string":
		text := string(order{swapBytes: p.order.swapBytes}.arrange(b))
		text, _, _ = strings.Cut(text, "\x00")
		e.Value = strings.TrimRight(text, " ")
	case "raw":
		e.Value = hex.EncodeToString(b)
	default:
		p.readNumber(&e, p.order.arrange(b))
	}
	return e
}

// readNumber reads big-endian bytes.
func (p *point) readNumber(e *devices.Event, b []byte) {
	switch p.format.half {
	case 'L':
		b = b[1:]
	case 'H':
		b = b[:1]
	}
	bits := number(b)
	var f float64
	switch {
	case p.format.float:
		switch len(b) {
		case 2:
			e.Value = fromHalf(uint16(bits))
			f = float64(e.Value.(float32))
		case 4:
			e.Value = math.Float32frombits(uint32(bits))
			f = float64(e.Value.(float32))
		default:
			f = math.Float64frombits(bits)
			e.Value = f
		}
	case p.format.signed:
		n := int64(bits<<(64-p.format.bits)) >> (64 - p.format.bits)
		e.Value, f = n, float64(n)
	default:
		e.Value, f = bits, float64(bits)
	}
	for _, s := range p.sentinels {
		if s.exact && s.bits == bits || !s.exact && s.value == f {
			bad(e, fmt.Sprintf("the device has no value: it says %v", e.Value))
			return
		}
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		bad(e, fmt.Sprintf("the device says %v, which is no number", f))
		return
	}
	if p.enum != nil {
		n := int64(bits)
		if p.format.signed {
			n = e.Value.(int64)
		}
		p.name(e, n)
		return
	}
	p.convert(e, f)
}

// name puts an enum's name in the place of its number.
func (p *point) name(e *devices.Event, n int64) {
	if name, known := p.enum[n]; known {
		e.Value = name
		return
	}
	e.Quality, e.Reason = devices.Uncertain, fmt.Sprintf("%v has no name in enum", e.Value)
}

// convert scales, rounds and compares with the limits. Without scale, whole numbers stay exact.
func (p *point) convert(e *devices.Event, f float64) {
	if p.scale != 1 || p.offset != 0 {
		f = p.up(f)
		e.Value = f
	}
	if p.precision >= 0 {
		if whole := p.format.bits > 0 && p.scale == 1 && p.offset == 0; !whole {
			f = round(f, p.precision)
			e.Value = f
		}
	}
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		bad(e, "the scaled value is too large")
	case p.min != nil && f < *p.min:
		e.Quality, e.Reason = devices.Uncertain, fmt.Sprintf("below min, which is %v", *p.min)
	case p.max != nil && f > *p.max:
		e.Quality, e.Reason = devices.Uncertain, fmt.Sprintf("above max, which is %v", *p.max)
	}
}

// divisor is 1/scale where that is a whole number: 2301 / 10 is 230.1, and 2301 * 0.1 is 230.10000000000002.
func (p *point) divisor() (float64, bool) {
	d := math.Round(1 / p.scale)
	return d, math.Abs(d) > 1 && 1/d == p.scale
}

// up makes a value of a register's number, and down the reverse.
func (p *point) up(f float64) float64 {
	if d, ok := p.divisor(); ok {
		return f/d + p.offset
	}
	return f*p.scale + p.offset
}

func (p *point) down(f float64) float64 {
	if d, ok := p.divisor(); ok {
		return (f - p.offset) * d
	}
	return (f - p.offset) / p.scale
}

// round rounds to so many decimals, to the nearest number that has them.
func round(f float64, decimals int) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', decimals, 64), 64)
	if err != nil {
		return f
	}
	return r
}

// bad takes the value away.
func bad(e *devices.Event, reason string) {
	e.Value, e.Quality, e.Reason = nil, devices.Bad, reason
}
