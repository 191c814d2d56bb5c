// Package sim simulates devices.
package sim

import (
	"errors"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// Driver makes adapters for simulated devices.
type Driver struct{}

var _ devices.Driver = Driver{}

// Name is "sim".
func (Driver) Name() string { return "sim" }

// New checks the options and makes an adapter.
func (Driver) New(devices.Env, edged.Raw) (devices.Adapter, error) {
	return nil, errors.New("not built yet")
}
