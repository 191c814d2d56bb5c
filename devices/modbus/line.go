package modbus

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/goburrow/modbus"
)

// line is the way to a device, which one request at a time may use. Those who wait for it get it in their order, so a
// command comes between two requests of a poll.
type line struct {
	turn        chan struct{} // holds a token while somebody has the turn
	transport   *transport
	client      modbus.Client
	busyRetries int

	exceptions, busy atomic.Uint64
}

// busyPause is how long a device that was busy is left alone.
const busyPause = 100 * time.Millisecond

func newLine(o Options, address string) *line {
	packager := modbus.NewTCPClientHandler("")
	packager.SlaveId = byte(o.Unit)
	t := &transport{
		address: address, timeout: o.Timeout, id: uint16(rand.Uint32()),
		pauseAfterConnect: o.PauseAfterConnect, pauseBetweenRequests: o.PauseBetweenRequests,
	}
	return &line{turn: make(chan struct{}, 1), transport: t, client: modbus.NewClient2(packager, t), busyRetries: o.BusyRetries}
}

// hold waits for the turn and calls f with it.
func (l *line) hold(ctx context.Context, f func() error) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.turn }()
	l.transport.ctx = ctx
	return f()
}

// ask makes one request, again while the device is busy. The caller has the turn.
func (l *line) ask(ctx context.Context, request func(modbus.Client) ([]byte, error)) (b []byte, err error) {
	for attempt := 0; ; attempt++ {
		b, err = request(l.client)
		var exception *modbus.ModbusError
		if !errors.As(err, &exception) {
			return b, err
		}
		l.exceptions.Add(1)
		if exception.ExceptionCode != modbus.ExceptionCodeServerDeviceBusy || attempt >= l.busyRetries {
			return b, err
		}
		l.busy.Add(1)
		if err := sleep(ctx, busyPause); err != nil {
			return nil, err
		}
	}
}

// answered says which exception the device answered with; 0: it did not answer, and neither did the device behind it
// when it is a gateway (exceptions 10 and 11).
func answered(err error) byte {
	var exception *modbus.ModbusError
	if !errors.As(err, &exception) {
		return 0
	}
	switch exception.ExceptionCode {
	case modbus.ExceptionCodeGatewayPathUnavailable, modbus.ExceptionCodeGatewayTargetDeviceFailedToRespond:
		return 0
	}
	return exception.ExceptionCode
}
