package devices

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/edged/edged"
)

// Device is the task around one device's adapter.
type Device struct {
	cfg     Config
	adapter Adapter
	bus     edged.Bus
	log     *slog.Logger
	prefix  string // of all its topics: "devices/boiler/"

	ready     chan struct{}
	readyOnce sync.Once
	commands  chan order
	listed    map[string]Point // what a Lister listed; nil: it is none
	online    limiter          // of the log lines about the device's state
	offline   limiter
	refused   limiter // of those about the bus

	out outbox

	mu    sync.Mutex
	stats Stats
}

var _ edged.Task = (*Device)(nil)

// The pauses before an adapter that failed is run again: doubled each time, begun anew when it ran for the longest one.
const (
	minPause = time.Second
	maxPause = time.Minute
)

// stopGrace is how long a device that stops may take to publish its last words.
const stopGrace = 2 * time.Second

// NewDevice checks cfg, finds its driver, and makes the device. It touches no hardware and starts nothing. Its error
// joins edged.BadKey errors relative to the entry.
func NewDevice(cfg Config, drivers []Driver, bus edged.Bus, log *slog.Logger) (*Device, error) {
	log = log.With("device", cfg.Name)
	adapter, err := NewAdapter(cfg, drivers, log)
	if err != nil {
		return nil, err
	}
	d := &Device{
		cfg: cfg, adapter: adapter, bus: bus, log: log, prefix: "devices/" + cfg.Name + "/",
		ready: make(chan struct{}), commands: make(chan order, maxWaiting),
	}
	d.out.points = map[string]*point{}
	if l, ok := adapter.(Lister); ok {
		d.listed = map[string]Point{}
		for _, p := range l.Points() {
			d.listed[p.Name] = p
			d.out.add(d.prefix, p)
		}
		d.stats.Points = len(d.listed)
	}
	return d, nil
}

// NewAdapter checks an entry wholly, its driver's options too, and makes the adapter. It touches no hardware.
func NewAdapter(cfg Config, drivers []Driver, log *slog.Logger) (Adapter, error) {
	problem := cfg.Check()
	var names []string
	for _, driver := range drivers {
		if driver.Name() == cfg.Driver {
			if cfg.Raw == nil {
				return nil, errors.Join(problem, edged.BadKey("", "the device has no options"))
			}
			adapter, err := driver.New(Env{Device: cfg.Name, Log: log}, cfg.Raw)
			return adapter, errors.Join(problem, err)
		}
		names = append(names, driver.Name())
	}
	if cfg.Driver != "" {
		problem = errors.Join(problem, BadChoice("driver", "driver", cfg.Driver, names...))
	}
	return nil, problem
}

// Run runs the device until ctx is done. Its only error is that of a bus which refuses the subscription.
func (d *Device) Run(ctx context.Context) error {
	// What must still be said when ctx is done is said under a context that lasts a little longer.
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		stop := time.AfterFunc(stopGrace, cancel)
		context.AfterFunc(last, func() { stop.Stop() })
	})()

	sub := edged.Subscription{Filter: d.prefix + "+/set", QoS: edged.AtLeastOnce, RetainHandling: 2}
	if err := d.bus.Subscribe(ctx, sub, d.take); err != nil {
		return fmt.Errorf("%s: subscribing to %s: %w", d, sub.Filter, err)
	}
	var worker sync.WaitGroup
	worker.Go(func() { d.execute(ctx, last) })
	d.out.reset()
	d.readyOnce.Do(func() { close(d.ready) })
	d.keepRunning(ctx)
	worker.Wait()
	if err := d.publishStopped(last); err != nil {
		d.log.Warn("the planned stop could not be published", "error", err)
	}
	return nil
}

// keepRunning runs the adapter, again and again, until ctx is done.
func (d *Device) keepRunning(ctx context.Context) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		began := time.Now()
		err := d.runAdapter(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the driver ended by itself")
		}
		d.mu.Lock()
		d.stats.Restarts++
		d.mu.Unlock()
		if time.Since(began) >= maxPause {
			pause = minPause
		}
		d.log.Debug("the driver failed and is run again", "error", err, "pause", pause)
		_ = d.emit(ctx, Offline(err.Error())) // already counted and logged; tried again with the next failure
		if sleep(ctx, pause+rand.N(pause/4)) != nil {
			return
		}
	}
}

// runAdapter runs the adapter once; a panic is an error like others, because one device must not take the rest down.
func (d *Device) runAdapter(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver %s panicked: %v", d.cfg.Driver, p)
			d.log.Error("the driver panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return d.adapter.Run(ctx, func(events ...Event) error { return d.emit(ctx, events...) })
}

// Ready is closed when commands are received and the adapter runs; the device itself may still be out of reach.
func (d *Device) Ready() <-chan struct{} { return d.ready }

// String names the task: "device boiler".
func (d *Device) String() string { return "device " + d.cfg.Name }

// Stats describes the device; it may be called at any time.
func (d *Device) Stats() Stats {
	d.mu.Lock()
	s := d.stats
	d.mu.Unlock()
	s.Device, s.Driver = d.cfg.Name, d.cfg.Driver
	if c, ok := d.adapter.(Counter); ok {
		s.Adapter = c.Counters()
	}
	return s
}
