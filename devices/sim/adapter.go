package sim

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/edged/edged/devices"
)

// adapter is a simulated device. Its values go on where they were when Run is called again.
type adapter struct {
	fail      Fail
	groups    []*group
	points    []devices.Point
	constants map[string]*atomic.Value

	rounds, missed atomic.Uint64
}

var (
	_ devices.Commander = (*adapter)(nil)
	_ devices.Lister    = (*adapter)(nil)
	_ devices.Counter   = (*adapter)(nil)
)

// group are the points of one interval.
type group struct {
	every      time.Duration
	points     []Point
	generators []generator
	round      int64
	// pending was made but not taken by the bus.
	pending []devices.Event
}

func newAdapter(o Options) *adapter {
	a := &adapter{fail: o.Fail, constants: map[string]*atomic.Value{}}
	byEvery := map[time.Duration]*group{}
	for i, p := range o.Points {
		g := byEvery[p.Every]
		if g == nil {
			g = &group{every: p.Every}
			byEvery[p.Every] = g
			a.groups = append(a.groups, g)
		}
		g.points = append(g.points, p)
		if p.Generator == "constant" {
			v := &atomic.Value{}
			v.Store(box{p.Value})
			a.constants[p.Name] = v
			g.generators = append(g.generators, func(int64, time.Duration) any { return v.Load().(box).value })
		} else {
			g.generators = append(g.generators, newGenerator(p, o.Seed, uint64(i)))
		}
		a.points = append(a.points, devices.Point{Name: p.Name, Unit: p.Unit, Writable: p.Writable, Report: p.Report})
	}
	return a
}

// box lets an atomic.Value hold values of several types.
type box struct{ value any }

// Run emits the rounds until ctx is done.
func (a *adapter) Run(ctx context.Context, emit func(...devices.Event) error) error {
	every := make([]time.Duration, len(a.groups))
	for i, g := range a.groups {
		every[i] = g.every
	}
	schedule := devices.NewSchedule(every...)
	before := a.missed.Load()
	began := time.Now()
	for {
		i, err := schedule.Next(ctx)
		if err != nil {
			return nil // told to stop
		}
		a.missed.Store(before + schedule.Missed())
		if a.failing(time.Since(began)) {
			_ = emit(devices.Offline("simulated failure")) // said again next round
			continue
		}
		g := a.groups[i]
		if g.pending == nil {
			g.pending = g.next(time.Now())
		}
		if emit(g.pending...) == nil {
			g.pending = nil
			a.rounds.Add(1)
		}
	}
}

// failing says whether the device is offline after having run for d.
func (a *adapter) failing(d time.Duration) bool {
	return a.fail.After > 0 && d%(a.fail.After+a.fail.For) >= a.fail.After
}

// next makes the group's next round.
func (g *group) next(now time.Time) []devices.Event {
	events := make([]devices.Event, len(g.points))
	for i, p := range g.points {
		v := g.generators[i](g.round, time.Duration(g.round)*g.every)
		events[i] = devices.Event{Point: p.Name, Unit: p.Unit, Value: v, Time: now}
	}
	g.round++
	return events
}

// Command sets a constant.
func (a *adapter) Command(_ context.Context, c devices.Command) (devices.Result, error) {
	v, known := a.constants[c.Point]
	if !known {
		return devices.Result{}, fmt.Errorf("the point %q cannot be written", c.Point)
	}
	value, err := plain(c.Value)
	if err != nil {
		return devices.Result{}, err
	}
	if was := v.Load().(box).value; fmt.Sprintf("%T", was) != fmt.Sprintf("%T", value) {
		return devices.Result{}, fmt.Errorf("%v (%T) is not of the kind of the point's value, %v (%T)", value, value, was, was)
	}
	v.Store(box{value})
	return devices.Result{Value: value}, nil
}

// Points lists the points.
func (a *adapter) Points() []devices.Point { return a.points }

// Counters counts rounds that were emitted, and those that were missed because the one before took too long.
func (a *adapter) Counters() map[string]uint64 {
	return map[string]uint64{"rounds": a.rounds.Load(), "missed": a.missed.Load()}
}
