package modbus

import (
	"strconv"

	"github.com/goburrow/modbus"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// kind is one of the four tables of the data model (V1.1b3 §4.3).
type kind byte

const (
	coil kind = iota
	discrete
	input
	holding
)

var kindNames = []string{coil: "coil", discrete: "discrete", input: "input", holding: "holding"}

func (k kind) String() string { return kindNames[k] }

// bits: its addresses hold one bit, not sixteen.
func (k kind) bits() bool { return k == coil || k == discrete }

// writable: a master may write it.
func (k kind) writable() bool { return k == coil || k == holding }

// read reads count of k's from start.
func (k kind) read(c modbus.Client, start, count uint16) ([]byte, error) {
	switch k {
	case coil:
		return c.ReadCoils(start, count)
	case discrete:
		return c.ReadDiscreteInputs(start, count)
	case input:
		return c.ReadInputRegisters(start, count)
	default:
		return c.ReadHoldingRegisters(start, count)
	}
}

// place finds the kind and the address of a point's register.
func (p *Point) place(key string, base int) (kind, int, error) {
	switch {
	case p.Address == "":
		return 0, 0, edged.BadKey(key+"address", "missing")
	case p.Register == "":
		return reference(key, string(p.Address))
	}
	n, err := p.Address.parse()
	if err != nil || n < uint64(base) || n-uint64(base) > 0xFFFF {
		return 0, 0, edged.BadKey(key+"address", "%q is no address; use %d to %d, or hexadecimal with 0x; a reference such as 40108 stands without register", p.Address, base, base+0xFFFF)
	}
	for i, name := range kindNames {
		if name == p.Register {
			return kind(i), int(n) - base, nil
		}
	}
	return 0, 0, devices.BadChoice(key+"register", "register", p.Register, kindNames...)
}

// referenceKinds are the first digits of references.
var referenceKinds = map[byte]kind{'0': coil, '1': discrete, '3': input, '4': holding}

// reference reads 40108 or 400108, whose last four or five digits count from 1.
func reference(key, text string) (kind, int, error) {
	if len(text) == 5 || len(text) == 6 {
		k, known := referenceKinds[text[0]]
		n, err := strconv.ParseUint(text[1:], 10, 32)
		if known && err == nil && n >= 1 && n <= 0x10000 {
			return k, int(n) - 1, nil
		}
	}
	return 0, 0, edged.BadKey(key+"register", "missing, and the address %q is no reference such as 40108; use one of coil, discrete, input, holding", text)
}
