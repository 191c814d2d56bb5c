package modbus

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// The most that one request reads or writes (V1.1b3 §6).
const (
	maxRegisters      = 125
	maxBits           = 2000
	maxWriteRegisters = 123
)

// compile checks the options, and makes the address to dial and the points of them.
func (o *Options) compile() (address string, points []*point, err error) {
	address, err = parseURL(o.URL)
	errs := []error{err}
	between := func(key string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, edged.BadKey(key, "%d is out of range; use %d to %d", v, low, high))
		}
	}
	between("unit", o.Unit, 0, 255)
	between("retries", o.Retries, 0, 10)
	between("busy_retries", o.BusyRetries, 0, 100)
	between("address_base", o.AddressBase, 0, 1)
	between("gap", o.Gap, 0, maxRegisters-1)
	between("max_registers", o.MaxRegisters, 1, maxRegisters)
	between("max_bits", o.MaxBits, 1, maxBits)
	within := func(key string, v, low time.Duration) {
		if v < low || v > time.Minute {
			errs = append(errs, edged.BadKey(key, "%s is out of range; use %s to %s", v, low, time.Minute))
		}
	}
	within("timeout", o.Timeout, 10*time.Millisecond)
	within("pause_after_connect", o.PauseAfterConnect, 0)
	within("pause_between_requests", o.PauseBetweenRequests, 0)
	if _, ok := parseOrder(o.Order); !ok {
		errs = append(errs, badOrder("order", o.Order))
	}
	if len(o.Points) == 0 {
		errs = append(errs, edged.BadKey("points", "missing; name at least one point to read or write"))
	}
	seen := map[string]int{}
	for i := range o.Points {
		key := fmt.Sprintf("points[%d].", i)
		p, err := o.compilePoint(key, o.Points[i])
		errs = append(errs, err)
		points = append(points, p)
		if first, twice := seen[p.Name]; twice {
			errs = append(errs, edged.BadKey(key+"name", "%q is the name of points[%d], too", p.Name, first))
		}
		seen[p.Name] = i
	}
	return address, points, errors.Join(errs...)
}

// parseURL finds host and port in the url.
func parseURL(text string) (string, error) {
	if text == "" {
		return "", edged.BadKey("url", "missing; write tcp://host:port")
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", edged.BadKey("url", "%q is no URL; write tcp://host:port", text)
	}
	switch u.Scheme {
	case "tcp":
	case "rtu", "rtu+tcp", "rtu+udp", "ascii", "ascii+tcp", "udp", "tls":
		return "", edged.BadKey("url", "%s:// is not in this version; use tcp://host:port", u.Scheme)
	default:
		return "", edged.BadKey("url", "%q does not begin with a scheme that is known; write tcp://host:port", text)
	}
	port := u.Port()
	if port == "" {
		port = "502"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", edged.BadKey("url", "%q is not of the form tcp://host:port", text)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

func badOrder(key, got string) error {
	return devices.BadChoice(key, "byte order", got, "ABCD", "BADC", "CDAB", "DCBA")
}

// compilePoint checks one point; key is the prefix of its keys. The point is never nil.
func (o *Options) compilePoint(key string, c Point) (*point, error) {
	p := &point{
		Point: devices.Point{Name: c.Name, Unit: c.Unit, Writable: c.Writable, Report: c.Report},
		scale: 1, offset: c.Offset, precision: -1, min: c.Min, max: c.Max,
		multiple: c.ForceMultiple || o.ForceMultiple, every: c.Every,
	}
	errs := []error{devices.CheckPoint(key+"name", c.Name), c.Report.Check(key)}
	if p.every == 0 {
		p.every = o.Every // which was checked as the device's
	} else {
		errs = append(errs, devices.CheckEvery(key+"every", p.every))
	}
	bad := func(name, format string, args ...any) { errs = append(errs, edged.BadKey(key+name, format, args...)) }

	k, start, err := c.place(key, o.AddressBase)
	errs = append(errs, err)
	p.kind, p.start = k, uint16(start)
	if c.Writable && err == nil && !k.writable() {
		bad("writable", "%s registers cannot be written", k)
	}
	p.format, err = c.format(key, k)
	errs = append(errs, err)

	orderName := c.Order
	if orderName == "" {
		orderName = o.Order
	}
	if o, ok := parseOrder(orderName); ok {
		p.order = o
	} else if c.Order != "" {
		errs = append(errs, badOrder(key+"order", c.Order))
	}

	p.count = uint16(p.format.registers)
	if p.format.registers == 0 && err == nil {
		if c.Length < 1 || c.Length > maxWriteRegisters {
			bad("length", "%d is out of range; a %s takes 1 to %d registers", c.Length, p.format.name, maxWriteRegisters)
		}
		p.count = uint16(min(max(c.Length, 1), maxWriteRegisters))
	} else if c.Length != 0 {
		bad("length", "only strings and raw values have one; a %s takes %d", p.format.name, p.count)
	}
	if int(p.count) > o.MaxRegisters {
		bad("length", "%d registers are more than max_registers, which is %d", p.count, o.MaxRegisters)
	}
	if start+int(p.count) > 0x10000 {
		bad("address", "%d registers from %d on end after the last one, 65535", p.count, start)
	}
	if needs := p.format.name == "bit" && !k.bits(); needs != (c.Bit != nil) {
		if needs {
			bad("bit", "missing; say which bit of the register, 0 (least significant) to 15")
		} else {
			bad("bit", "only a point of type bit in a register has one")
		}
	} else if c.Bit != nil {
		if *c.Bit < 0 || *c.Bit > 15 {
			bad("bit", "%d is out of range; use 0 (least significant) to 15", *c.Bit)
		}
		p.bit = uint(*c.Bit) & 15
	}
	return p, errors.Join(append(errs, p.compileNumbers(key, c))...)
}

// format finds the format of a point's type.
func (p *Point) format(key string, k kind) (format, error) {
	name := p.Type
	switch {
	case name == "" && k.bits():
		name = "bit"
	case name == "":
		name = "uint16"
	case k.bits() && name != "bit":
		return format{}, edged.BadKey(key+"type", "a %s is a bit; leave the type out", k)
	}
	f, ok := findFormat(name)
	if !ok {
		return f, devices.BadChoice(key+"type", "type", name, formatNames()...)
	}
	return f, nil
}

// compileNumbers checks what only numbers have.
func (p *point) compileNumbers(key string, c Point) error {
	var errs []error
	bad := func(name, format string, args ...any) { errs = append(errs, edged.BadKey(key+name, format, args...)) }
	finite := func(name string, f *float64) {
		if f != nil && (math.IsNaN(*f) || math.IsInf(*f, 0)) {
			bad(name, "%v is no number", *f)
		}
	}
	finite("scale", c.Scale)
	finite("offset", &c.Offset)
	finite("min", c.Min)
	finite("max", c.Max)
	if c.Scale != nil {
		if p.scale = *c.Scale; p.scale == 0 {
			bad("scale", "0 makes every value the same; use another number")
		}
	}
	if c.Precision != nil {
		if p.precision = *c.Precision; p.precision < 0 || p.precision > 15 {
			bad("precision", "%d is out of range; use 0 to 15 decimals", p.precision)
		}
	}
	if c.Min != nil && c.Max != nil && *c.Min > *c.Max {
		bad("max", "%v is below min, which is %v", *c.Max, *c.Min)
	}
	numbersOnly := []struct {
		name string
		set  bool
	}{
		{"scale", c.Scale != nil}, {"offset", c.Offset != 0}, {"precision", c.Precision != nil}, {"min", c.Min != nil}, {"max", c.Max != nil}, {"nan", len(c.NaN) > 0},
	}
	for _, n := range numbersOnly {
		if n.set && !p.format.numeric() && p.format.name != "" {
			bad(n.name, "a %s has none", p.format.name)
		}
	}
	for i, n := range c.NaN {
		s, err := p.format.sentinel(string(n))
		if err != nil {
			bad(fmt.Sprintf("nan[%d]", i), "%v", err)
		}
		p.sentinels = append(p.sentinels, s)
	}
	return errors.Join(append(errs, p.compileEnum(key, c))...)
}

// compileEnum checks the names of numbers, which must be different, so that commands can use them.
func (p *point) compileEnum(key string, c Point) error {
	if len(c.Enum) == 0 {
		return nil
	}
	if p.format.bits == 0 && p.format.name != "bit" && p.format.name != "" || c.Scale != nil || c.Offset != 0 {
		return edged.BadKey(key+"enum", "only whole numbers and bits without scale and offset can have names")
	}
	p.enum, p.numbers = map[int64]string{}, map[string]int64{}
	for _, text := range slices.Sorted(maps.Keys(c.Enum)) {
		name := c.Enum[text]
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			return edged.BadKey(key+"enum", "%q is not a whole number", text)
		}
		if other, twice := p.numbers[name]; twice {
			return edged.BadKey(key+"enum", "%q is the name of %d and of %d", name, other, n)
		}
		p.enum[n], p.numbers[name] = name, n
	}
	return nil
}
