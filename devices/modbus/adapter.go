package modbus

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/goburrow/modbus"

	"github.com/edged/edged/devices"
)

// adapter is one Modbus device.
type adapter struct {
	o      Options
	log    *slog.Logger
	points []*point
	byName map[string]*point
	line   *line
	// running is read and written by who has the line's turn. Without it, a command hangs up after itself.
	running bool

	// of the poller alone
	groups   [][]*block
	failures int // requests in a row without a reply

	missed atomic.Uint64
}

var (
	_ devices.Commander = (*adapter)(nil)
	_ devices.Lister    = (*adapter)(nil)
	_ devices.Counter   = (*adapter)(nil)
)

const (
	// deadAfter so many requests in a row without a reply the device is offline.
	deadAfter = 3
	// A device that is offline is asked again after a pause, doubled each time.
	minPause = 500 * time.Millisecond
	maxPause = 30 * time.Second
	// holeRetry is when an address that the device did not know is asked for again.
	holeRetry = 10 * time.Minute
)

func newAdapter(env devices.Env, o Options, address string, points []*point) *adapter {
	a := &adapter{o: o, log: env.Log, points: points, byName: map[string]*point{}, line: newLine(o, address)}
	for _, p := range points {
		a.byName[p.Name] = p
	}
	return a
}

// Run polls until ctx is done.
func (a *adapter) Run(ctx context.Context, emit func(...devices.Event) error) error {
	every := a.plan()
	a.failures = 0
	if a.setRunning(ctx, true) != nil {
		return nil // told to stop
	}
	defer func() { _ = a.setRunning(context.WithoutCancel(ctx), false) }() // the turn comes: requests end with ctx or in time
	schedule := devices.NewSchedule(every...)
	missed := a.missed.Load()
	var pause time.Duration
	for {
		group, err := schedule.Next(ctx)
		if err != nil {
			return nil // told to stop
		}
		a.missed.Store(missed + schedule.Missed())
		events, dead := a.poll(ctx, group)
		if ctx.Err() != nil {
			return nil
		}
		if dead != nil {
			a.plan() // what was learned of its addresses may no longer hold
			events = append(events, devices.Offline(dead.Error()))
		}
		if err := emit(events...); err != nil {
			a.log.Debug("a round was not taken", "error", err) // counted by the device; the next one is newer
		}
		if dead == nil {
			pause = 0
			continue
		}
		pause = min(max(2*pause, minPause), maxPause)
		if sleep(ctx, pause-rand.N(pause/4)) != nil {
			return nil
		}
	}
}

// plan makes the reads of every group of points that share an interval, and returns the intervals.
func (a *adapter) plan() (every []time.Duration) {
	groups := map[time.Duration][]*point{}
	for _, p := range a.points {
		groups[p.every] = append(groups[p.every], p)
	}
	every = slices.Sorted(maps.Keys(groups))
	a.groups = nil
	for _, e := range every {
		a.groups = append(a.groups, plan(groups[e], a.o.Gap, a.o.MaxRegisters, a.o.MaxBits))
	}
	return every
}

// setRunning says whether the connection is to stay open after a request, and closes it if not.
func (a *adapter) setRunning(ctx context.Context, running bool) error {
	return a.line.hold(ctx, func() error {
		a.running = running
		a.release()
		return nil
	})
}

// release ends a round or a command; the caller has the turn.
func (a *adapter) release() {
	if !a.running || a.o.CloseAfterPoll {
		a.line.transport.close()
	}
}

// poll reads a group's blocks. dead says why the device is offline; the rest of the group was not tried then.
func (a *adapter) poll(ctx context.Context, group int) (events []devices.Event, dead error) {
	for i := 0; i < len(a.groups[group]); i++ {
		b := a.groups[group][i]
		if now := time.Now(); now.Before(b.hole) {
			events = append(events, b.bad(now, b.why)...) // published once, but the bus may have refused it
			continue
		}
		data, err := a.read(ctx, b)
		now := time.Now()
		if err == nil {
			for _, p := range b.points {
				events = append(events, p.read(b.cut(p, data), now))
			}
			continue
		}
		if a.lost(err) || ctx.Err() != nil {
			return events, err
		}
		if code := answered(err); code == modbus.ExceptionCodeIllegalDataAddress || code == modbus.ExceptionCodeIllegalDataValue {
			if len(b.points) > 1 {
				a.groups[group] = slices.Replace(a.groups[group], i, i+1, b.halves(a.o.Gap, a.o.MaxRegisters, a.o.MaxBits)...)
				i--
				continue
			}
			b.hole, b.why = now.Add(holeRetry), err.Error()
		}
		events = append(events, b.bad(now, err.Error())...)
	}
	if a.o.CloseAfterPoll {
		_ = a.setRunning(ctx, true) // fails when told to stop, and then the end closes it
	}
	if a.failures == 0 {
		events = append(events, devices.Online()) // it answers, even if all it says is exceptions
	}
	return events, nil
}

// lost says whether the error of a read means that the device is offline.
func (a *adapter) lost(err error) bool {
	var dial dialError
	return errors.As(err, &dial) || a.failures >= deadAfter
}

// read reads a block, once more when there is no reply.
func (a *adapter) read(ctx context.Context, b *block) (data []byte, err error) {
	for attempt := 0; attempt <= a.o.Retries; attempt++ {
		err = a.line.hold(ctx, func() error {
			data, err = a.line.ask(ctx, func(c modbus.Client) ([]byte, error) { return b.kind.read(c, b.start, b.count) })
			return err
		})
		if err == nil || answered(err) != 0 {
			a.failures = 0
			return data, err
		}
		a.failures++
		if ctx.Err() != nil || a.lost(err) {
			break
		}
	}
	return nil, err
}

// Points lists the points.
func (a *adapter) Points() (all []devices.Point) {
	for _, p := range a.points {
		all = append(all, p.Point)
	}
	return all
}

// Counters counts requests that were sent, connections that were tried, exceptions, busy replies, replies that were late
// or foreign, requests that ended without a reply, and rounds that were missed.
func (a *adapter) Counters() map[string]uint64 {
	t := a.line.transport
	return map[string]uint64{
		"requests": t.requests.Load(), "connects": t.connects.Load(), "exceptions": a.line.exceptions.Load(),
		"busy": a.line.busy.Load(), "foreign": t.foreign.Load(), "failures": t.broken.Load(), "missed": a.missed.Load(),
	}
}
