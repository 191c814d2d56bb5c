package modbus

import (
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
	if err := raw.Decode(&o); err != nil {
		return nil, err
	}
	address, points, err := o.compile()
	if err != nil {
		return nil, err
	}
	return newAdapter(env, o, address, points), nil
}
