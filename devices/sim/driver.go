package sim

import (
	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// Driver makes simulated devices.
type Driver struct{}

var _ devices.Driver = Driver{}

// Name is "sim".
func (Driver) Name() string { return "sim" }

// New checks the options and makes an adapter.
func (Driver) New(_ devices.Env, raw edged.Raw) (devices.Adapter, error) {
	o := DefaultOptions()
	if err := raw.Decode(&o); err != nil {
		return nil, err
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	return newAdapter(o), nil
}
