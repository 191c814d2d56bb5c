package modbus

import (
	"errors"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// Driver makes adapters for Modbus devices.
type Driver struct{}

var _ devices.Driver = Driver{}

// Name is "modbus".
func (Driver) Name() string { return "modbus" }

// New checks the options and makes an adapter; it does not connect.
func (Driver) New(env devices.Env, raw edged.Raw) (devices.Adapter, error) {
	o := DefaultOptions()
	decoded := raw.Decode(&o)
	address, points, err := o.compile()
	if err := errors.Join(decoded, err); err != nil {
		return nil, err
	}
	return newAdapter(env, o, address, points), nil
}
