package devices

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/edged/edged"
)

// outbox is what was said of a device, so that nothing is said twice.
type outbox struct {
	mu     sync.Mutex // held while the bus takes what is published: that keeps the order
	said   said
	points map[string]*point
	order  []*point // as they became known
	undo   []undo   // what said was of the points before this emit
}

// point is a point with the last thing said of it.
type point struct {
	Point
	topic string
	last  last
}

// last is what was published last of a point.
type last struct {
	said
	value any
	time  time.Time
}

// said is the last thing said of a device or a point. For a point, state is offline when its quality was bad, and reason
// tells uncertain from good.
type said struct {
	state  State
	reason string
}

// undo takes back what was noted of a point, when the bus refused it.
type undo struct {
	p   *point
	was last
}

// maxPoints bounds how many points a device can have.
const maxPoints = 1 << 16

// add makes a point known.
func (o *outbox) add(prefix string, p Point) *point {
	q := &point{Point: p, topic: prefix + p.Name}
	o.points[p.Name] = q
	o.order = append(o.order, q)
	return q
}

// reset forgets the state that an earlier Run ended with.
func (o *outbox) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.said = said{}
}

// note records what is about to be said of p.
func (o *outbox) note(p *point, l last) {
	o.undo = append(o.undo, undo{p, p.last})
	p.last = l
}

// emit publishes events and waits until they are kept.
func (d *Device) emit(ctx context.Context, events ...Event) error {
	d.out.mu.Lock()
	defer d.out.mu.Unlock()
	b := batch{d: d, was: d.out.said, msgs: make([]edged.Message, 0, len(events)+1)}
	d.out.undo = d.out.undo[:0]
	for _, e := range events {
		e.Time = stamp(e.Time)
		if e.Point == "" {
			b.state(e)
		} else {
			b.reading(e)
		}
	}
	var err error
	if len(b.msgs) > 0 {
		if err = d.bus.Publish(ctx, b.msgs...); err != nil {
			d.out.said = b.was
			for i := len(d.out.undo) - 1; i >= 0; i-- {
				d.out.undo[i].p.last = d.out.undo[i].was
			}
			err = fmt.Errorf("%s: publishing: %w", d, err)
		}
	}
	b.count(err)
	if err != nil {
		if held, ok := d.refused.allow(); ok && ctx.Err() == nil {
			d.log.Warn("readings were not taken", "readings", b.readings, "repeated", held, "error", err)
		}
		return err
	}
	return b.defect
}

// batch is one emit on its way to the bus.
type batch struct {
	d             *Device
	was           said // of the device
	msgs          []edged.Message
	readings, bad uint64
	repeated      uint64
	silent        uint64
	defect        error // the driver's own mistake
}

// state says that the device went online or offline, unless that was said; offline takes its points along.
func (b *batch) state(e Event) {
	if e.State == b.d.out.said.state {
		return
	}
	b.d.out.said = said{e.State, e.Reason}
	b.msgs = append(b.msgs, edged.Message{
		Topic: b.d.prefix + "status", Payload: status(e.State, e.Reason), QoS: edged.AtLeastOnce, Retain: true,
	})
	if e.State != StateOffline {
		return
	}
	for _, p := range b.d.out.order {
		if p.last.state != StateOffline {
			b.publish(p, Event{Point: p.Name, Unit: p.Unit, Time: e.Time, Quality: Bad, Reason: e.Reason})
		}
	}
}

// reading publishes a reading, unless the same bad news was said before.
func (b *batch) reading(e Event) {
	p := b.d.out.points[e.Point]
	if p == nil {
		if p = b.unknown(e); p == nil {
			return
		}
	}
	if err := plain(e.Value); err != nil {
		e.Quality, e.Reason = Bad, err.Error()
	} else if e.Value == nil && e.Quality != Bad {
		e.Quality, e.Reason = Bad, "the device gave no value"
	}
	switch e.Quality {
	case Bad:
		e.Value = nil
		if p.last.said == (said{StateOffline, e.Reason}) {
			b.repeated++
			return
		}
	case "":
		e.Quality = Good
		fallthrough
	default:
		b.state(Online())
		if p.last.said == (said{StateOnline, e.Reason}) && p.Report.silent(p.last.value, e.Value, e.Time.Sub(p.last.time)) {
			b.silent++
			return
		}
	}
	b.publish(p, e)
}

// unknown makes a point of an event's, when the adapter did not list it.
func (b *batch) unknown(e Event) *point {
	err := CheckPoint(e.Point, e.Point)
	if err == nil && len(b.d.out.points) >= maxPoints {
		err = fmt.Errorf("the device has more than %d points", maxPoints)
	}
	if err != nil {
		b.defect = fmt.Errorf("the driver %s emitted a point that cannot be: %w", b.d.cfg.Driver, err)
		return nil
	}
	return b.d.out.add(b.d.prefix, Point{Name: e.Point, Unit: e.Unit})
}

// publish adds a reading's message.
func (b *batch) publish(p *point, e Event) {
	b.readings++
	s := said{StateOnline, e.Reason}
	if e.Quality == Bad {
		s.state = StateOffline
		b.bad++
	}
	b.d.out.note(p, last{s, e.Value, e.Time})
	b.msgs = append(b.msgs, edged.Message{
		Topic: p.topic, Payload: appendReading(make([]byte, 0, 96), e), QoS: edged.AtLeastOnce,
	})
}

// count puts the batch into the statistics, and the log when the state changed.
func (b *batch) count(err error) {
	d, now := b.d, b.d.out.said
	changed := err == nil && now != b.was
	d.mu.Lock()
	d.stats.Points = len(d.out.points)
	d.stats.Repeated += b.repeated
	d.stats.Silent += b.silent
	if err != nil {
		d.stats.Refused += b.readings
	} else {
		d.stats.Readings += b.readings
		d.stats.Bad += b.bad
	}
	if changed {
		d.stats.State, d.stats.Reason, d.stats.Since = now.state, now.reason, time.Now()
	}
	d.mu.Unlock()
	if !changed {
		return
	}
	// A device that comes and goes must not fill the log.
	if now.state == StateOnline {
		if held, ok := d.online.allow(); ok {
			d.log.Info("the device is online", "repeated", held)
		}
	} else if held, ok := d.offline.allow(); ok {
		d.log.Warn("the device is offline", "reason", now.reason, "repeated", held)
	}
}

// publishStopped says that the device is offline because edged stops. Its readings stay as they are.
func (d *Device) publishStopped(ctx context.Context) error {
	d.out.mu.Lock()
	defer d.out.mu.Unlock()
	const reason = "stopped"
	err := d.bus.Publish(ctx, edged.Message{
		Topic: d.prefix + "status", Payload: status(StateOffline, reason), QoS: edged.AtLeastOnce, Retain: true,
	})
	if err == nil {
		d.out.said = said{StateOffline, reason}
		d.mu.Lock()
		d.stats.State, d.stats.Reason, d.stats.Since = StateOffline, reason, time.Now()
		d.mu.Unlock()
	}
	return err
}
