// Package modbus polls Modbus devices.
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

// New checks the options and makes an adapter.
func (Driver) New(devices.Env, edged.Raw) (devices.Adapter, error) {
	return nil, errors.New("not built yet")
}
