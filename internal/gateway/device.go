package gateway

import "github.com/edged/edged/devices"

// device is a device and its task.
type device struct {
	cfg     devices.Config
	task    *devices.Device
	running *running
}

func (g *Gateway) newDevice(c devices.Config) (*device, error) {
	name := "device/" + c.Name
	task, err := devices.NewDevice(c, Drivers(), g.broker.Client(name), g.part(name))
	if err != nil {
		return nil, err
	}
	return &device{cfg: c, task: task}, nil
}
