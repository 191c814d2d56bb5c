package sim

import (
	"errors"

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
	if err := errors.Join(raw.Decode(&o), o.Check()); err != nil {
		return nil, err
	}
	return newAdapter(o), nil
}
