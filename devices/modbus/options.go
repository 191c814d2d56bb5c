package modbus

import (
	"strconv"
	"strings"
	"time"

	"github.com/edged/edged/devices"
)

// Options are a Modbus device's entry in `devices`.
type Options struct {
	devices.Common `yaml:",inline"`
	// URL is where the device is: tcp://host:port, port 502 when left out.
	URL string `yaml:"url"`
	// Unit is the unit identifier, 0 to 255. Default 1.
	Unit int `yaml:"unit"`
	// Timeout is how long a reply may take, 10 ms to 1 min. Default 1 s.
	Timeout time.Duration `yaml:"timeout"`
	// Retries is how often a read without reply is repeated, 0 to 10. Default 1.
	Retries int `yaml:"retries"`
	// BusyRetries is how often a request is repeated that the device was too busy for (exception 6), 0 to 100. Default 3.
	BusyRetries int `yaml:"busy_retries"`
	// AddressBase is the number that the device's manual gives to its first register: 0 or 1. Default 0.
	AddressBase int `yaml:"address_base"`
	// Order is the byte order of points that name none. Default ABCD.
	Order string `yaml:"order"`
	// Gap is how many registers nobody wants may be read between two that are wanted, to save a request, 0 to 124;
	// sixteen times as many coils. Default 8.
	Gap int `yaml:"gap"`
	// MaxRegisters and MaxBits bound one read: 1 to 125 and 1 to 2000, which are the defaults.
	MaxRegisters int `yaml:"max_registers"`
	MaxBits      int `yaml:"max_bits"`
	// PauseAfterConnect and PauseBetweenRequests are for devices that need time, up to 1 min. Default 0.
	PauseAfterConnect    time.Duration `yaml:"pause_after_connect"`
	PauseBetweenRequests time.Duration `yaml:"pause_between_requests"`
	// CloseAfterPoll closes the connection after each round, for devices that have few.
	CloseAfterPoll bool `yaml:"close_after_poll"`
	// ForceMultiple writes single values with function codes 15 and 16, too.
	ForceMultiple bool `yaml:"force_multiple"`
	// Points are what is read and written, at least one.
	Points []Point `yaml:"points"`
}

// Point is a value in the device.
type Point struct {
	Name string `yaml:"name"`
	// Register is coil, discrete, input or holding; empty: Address is a reference such as 40108.
	Register string `yaml:"register"`
	// Address is decimal or hexadecimal (0x6B).
	Address Number `yaml:"address"`
	// Type is how the registers are to be understood. Default bit for coils and discrete inputs, else uint16.
	Type string `yaml:"type"`
	// Order is the byte order: ABCD, BADC, CDAB or DCBA. Default the device's.
	Order string `yaml:"order"`
	// Bit is which one of a register a bit is, 0 (least significant) to 15.
	Bit *int `yaml:"bit"`
	// Length of a string or raw value in registers, 1 to 123.
	Length int `yaml:"length"`
	// Unit is the unit of measurement.
	Unit string `yaml:"unit"`
	// The value is register × Scale + Offset, rounded to Precision decimals (0 to 15). Defaults 1, 0, and no rounding.
	Scale     *float64 `yaml:"scale"`
	Offset    float64  `yaml:"offset"`
	Precision *int     `yaml:"precision"`
	// Min and Max say what is plausible: readings outside are uncertain, writes are refused.
	Min *float64 `yaml:"min"`
	Max *float64 `yaml:"max"`
	// Enum gives names to whole numbers, before scaling.
	Enum map[string]string `yaml:"enum"`
	// NaN lists what the device says when it has no value, as bits (0x8000) or as the number before scaling (-32768).
	NaN []Number `yaml:"nan"`
	// Writable: commands may write it.
	Writable bool `yaml:"writable"`
	// ForceMultiple as for the device.
	ForceMultiple bool `yaml:"force_multiple"`
	// Every is the point's own interval; 0: the device's.
	Every time.Duration `yaml:"every"`
	// Report holds back readings that tell nothing new.
	devices.Report `yaml:",inline"`
}

// DefaultOptions are the options before their keys are read.
func DefaultOptions() Options {
	return Options{
		Common: devices.DefaultConfig().Common, Unit: 1, Timeout: time.Second, Retries: 1, BusyRetries: 3,
		Order: "ABCD", Gap: 8, MaxRegisters: maxRegisters, MaxBits: maxBits,
	}
}

// Number is a number as it was written, so that 40108, 0x6B and "000108" keep their digits.
type Number string

// UnmarshalText keeps the text.
func (n *Number) UnmarshalText(text []byte) error {
	*n = Number(text)
	return nil
}

// MarshalText gives the text back.
func (n Number) MarshalText() ([]byte, error) { return []byte(n), nil }

// parse reads a number without sign. A leading zero means nothing.
func (n Number) parse() (uint64, error) {
	if digits, hex := strings.CutPrefix(strings.ToLower(string(n)), "0x"); hex {
		return strconv.ParseUint(digits, 16, 64)
	}
	return strconv.ParseUint(string(n), 10, 64)
}
