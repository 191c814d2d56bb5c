package modbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goburrow/modbus"

	"github.com/edged/edged/devices"
)

// Command writes a point and reads it back, in one turn.
func (a *adapter) Command(ctx context.Context, c devices.Command) (r devices.Result, err error) {
	p := a.byName[c.Point]
	if p == nil {
		return r, fmt.Errorf("the device has no point %q", c.Point)
	}
	if !p.Writable {
		return r, fmt.Errorf("the point %q is read only", c.Point)
	}
	err = a.line.hold(ctx, func() error {
		defer a.release()
		r, err = a.write(ctx, p, c.Value)
		return err
	})
	return r, err
}

// write writes a point; the caller has the turn.
func (a *adapter) write(ctx context.Context, p *point, v any) (r devices.Result, err error) {
	read := func(c modbus.Client) ([]byte, error) { return p.kind.read(c, p.start, p.count) }
	var now []byte
	if p.format.shared() && !p.kind.bits() {
		if now, err = a.line.ask(ctx, read); err != nil {
			return r, fmt.Errorf("nothing was written, because the register could not be read first: %w", err)
		}
	}
	data, err := p.encode(v, now)
	if err != nil {
		return r, err
	}
	if _, err := a.line.ask(ctx, func(c modbus.Client) ([]byte, error) { return p.write(c, data) }); err != nil {
		var dial dialError
		if errors.As(err, &dial) || answered(err) != 0 {
			return r, fmt.Errorf("nothing was written: %w", err)
		}
		return r, fmt.Errorf("the device may have executed the command, or not: %w", err)
	}
	back, err := a.line.ask(ctx, read)
	if err != nil {
		return r, fmt.Errorf("the command was executed, but could not be read back: %w", err)
	}
	if p.kind.bits() {
		back = back[:1]
	}
	e := p.read(back, time.Now())
	if e.Quality == devices.Bad {
		return r, fmt.Errorf("the command was executed, but what was read back is bad: %s", e.Reason)
	}
	return devices.Result{Value: e.Value}, nil
}

// write sends a point's data with the function code that fits.
func (p *point) write(c modbus.Client, data []byte) ([]byte, error) {
	switch {
	case p.kind == coil && p.multiple:
		return c.WriteMultipleCoils(p.start, 1, data)
	case p.kind == coil && data[0] != 0:
		return c.WriteSingleCoil(p.start, 0xFF00)
	case p.kind == coil:
		return c.WriteSingleCoil(p.start, 0)
	case p.count == 1 && !p.multiple:
		return c.WriteSingleRegister(p.start, uint16(number(data)))
	default:
		return c.WriteMultipleRegisters(p.start, p.count, data)
	}
}
