package configs

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

// scalar decodes a single value. Quotes make no difference here, so that port: "${PORT}" works.
func (d *decoder) scalar(n *node, v reflect.Value, path string) {
	if n.kind != scalar {
		d.fail(n, path, "expected %s, found %s", expected(v), n.found())
		return
	}
	text := strings.TrimSpace(n.text)
	ok := true
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		ok = text == "true" || text == "false"
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Type() == durationType {
			d.duration(n, v, path, text)
			return
		}
		i, outside, whole := readInt(text)
		if ok = whole; ok {
			if outside || v.OverflowInt(i) {
				d.outOfRange(n, v, path)
				return
			}
			v.SetInt(i)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, outside, whole := readUint(text)
		if ok = whole; ok {
			if outside || v.OverflowUint(u) {
				d.outOfRange(n, v, path)
				return
			}
			v.SetUint(u)
		}
	case reflect.Float32, reflect.Float64:
		f, valid := readFloat(text)
		if ok = valid; ok {
			if v.OverflowFloat(f) {
				d.outOfRange(n, v, path)
				return
			}
			v.SetFloat(f)
		}
	default:
		d.fail(n, path, "edged cannot read a %s from a file", v.Type())
		return
	}
	if !ok {
		d.fail(n, path, "expected %s, found %s", expected(v), n.found())
	}
}

// expected names what a value must look like.
func expected(v reflect.Value) string {
	switch {
	case v.Type() == durationType:
		return "a duration such as 500ms, 10s, 5m, 2h or 7d"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanInt() || v.CanUint():
		return "a whole number"
	case v.CanFloat():
		return "a number"
	}
	return "a text"
}

func (d *decoder) outOfRange(n *node, v reflect.Value, path string) {
	bits := v.Type().Bits()
	switch {
	case v.CanFloat():
		d.fail(n, path, "%s does not fit a %d bit floating-point number", n.found(), bits)
	case v.CanUint():
		d.fail(n, path, "%s is out of range; use 0 to %d", n.written, uint64(math.MaxUint64)>>(64-bits))
	default:
		most := int64(math.MaxInt64) >> (64 - bits)
		d.fail(n, path, "%s is out of range; use %d to %d", n.written, -most-1, most)
	}
}

func (d *decoder) duration(n *node, v reflect.Value, path, text string) {
	dur, ok := readDuration(text)
	if ok {
		v.SetInt(int64(dur))
		return
	}
	hint := ""
	if _, _, whole := readUint(text); whole {
		hint = "; a unit is missing: write " + n.written + "s for seconds"
	}
	d.fail(n, path, "expected %s, found %s%s", expected(v), n.found(), hint)
}

// readDuration reads what time.ParseDuration reads, and days: 7d, 1d12h. 0 needs no unit.
func readDuration(s string) (time.Duration, bool) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		dur, err := time.ParseDuration(s)
		return dur, err == nil
	}
	f, err := strconv.ParseFloat(days, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 100_000 {
		return 0, false
	}
	dur := time.Duration(f * float64(24*time.Hour))
	if rest == "" {
		return dur, true
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 {
		return 0, false
	}
	if f < 0 {
		more = -more
	}
	return dur + more, true
}

// readInt reads a whole number of YAML 1.2: decimal (010 is ten), 0x1F, 0o17, 0b11, with _ between digits.
func readInt(s string) (i int64, outside, ok bool) {
	i, err := strconv.ParseInt(digits(s), 0, 64)
	return i, isRange(err), err == nil || isRange(err)
}

// readUint is readInt without sign; a negative number is out of range.
func readUint(s string) (u uint64, outside, ok bool) {
	if strings.HasPrefix(s, "-") {
		_, _, ok = readInt(s)
		return 0, true, ok
	}
	u, err := strconv.ParseUint(digits(strings.TrimPrefix(s, "+")), 0, 64)
	return u, isRange(err), err == nil || isRange(err)
}

func isRange(err error) bool {
	return errors.Is(err, strconv.ErrRange)
}

// digits removes leading zeros, which strconv would take as octal.
func digits(s string) string {
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	for len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	return sign + s
}

// readFloat reads a number of YAML 1.2, with .inf and .nan.
func readFloat(s string) (float64, bool) {
	switch strings.ToLower(s) {
	case ".inf", "+.inf":
		return math.Inf(1), true
	case "-.inf":
		return math.Inf(-1), true
	case ".nan":
		return math.NaN(), true
	}
	if i, outside, ok := readInt(s); ok && !outside {
		return float64(i), true
	}
	if strings.ContainsAny(s, "xXpPiInN") { // Go's own spellings are not YAML's
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// anything gives a value of the kind the file shows: nil, bool, int64, uint64, float64, string, []any, map[string]any.
func (d *decoder) anything(n *node, path string) any {
	switch n.kind {
	case list:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = d.anything(item, fmt.Sprintf("%s[%d]", path, i))
		}
		return out
	case mapping:
		out := make(map[string]any, len(n.entries))
		for i := range n.entries {
			key := n.entries[i].key
			out[key] = d.anything(n.entries[i].value, below(path, key))
		}
		return out
	case scalar:
		if n.problem != "" {
			d.fail(n, path, "%s", n.problem)
		}
		if n.plain {
			return guess(n.text)
		}
		return n.text
	}
	return nil
}

func guess(s string) any {
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	if i, outside, ok := readInt(s); ok && !outside {
		return i
	}
	if u, outside, ok := readUint(s); ok && !outside {
		return u
	}
	if f, ok := readFloat(s); ok {
		return f
	}
	return s
}
