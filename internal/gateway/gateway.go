package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/buffer"
	"github.com/edged/edged/configs"
	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/modbus"
	"github.com/edged/edged/devices/sim"
)

// Drivers are the kinds of devices that this edged knows.
func Drivers() []devices.Driver {
	return []devices.Driver{modbus.Driver{}, sim.Driver{}}
}

// Options are what a Gateway needs besides its configuration.
type Options struct {
	// Log takes the log of all parts; nil: discarded.
	Log *slog.Logger
	// Version is edged's own, told upstream and under $SYS.
	Version string
}

// Gateway is the whole of edged. Make it with New.
type Gateway struct {
	o      Options
	bootID string
	ready  chan struct{}

	// mu guards what runs, and is held by start, stop and Reload as a whole.
	mu      sync.Mutex
	cfg     *configs.Config
	store   *buffer.Store
	broker  *broker.Broker
	uplinks map[string]*uplink
	devices map[string]*device
	failed  chan error

	losses losses
}

var _ edged.Task = (*Gateway)(nil)

// New checks cfg as a whole and makes a gateway. It opens no file and no socket.
func New(cfg *configs.Config, o Options) (*Gateway, error) {
	if err := cfg.Check(Drivers()); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Gateway{
		o: o, cfg: cfg, bootID: rand.Text()[:16], ready: make(chan struct{}),
		uplinks: make(map[string]*uplink), devices: make(map[string]*device), failed: make(chan error, 1),
	}, nil
}

// String names the task.
func (g *Gateway) String() string { return "gateway" }

// Ready is closed when clients can connect, and uplinks and devices have begun to.
func (g *Gateway) Ready() <-chan struct{} { return g.ready }

// Addrs are the addresses listened on, in the order of the configuration; call it after Ready.
func (g *Gateway) Addrs() []net.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broker == nil {
		return nil
	}
	return g.broker.Addrs()
}

// URLs are those addresses as a client writes them; call it after Ready.
func (g *Gateway) URLs() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broker == nil {
		return nil
	}
	return g.broker.URLs()
}

// Uplinks describes the uplinks by name.
func (g *Gateway) Uplinks() map[string]bridge.Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	stats := make(map[string]bridge.Stats)
	for name, u := range g.uplinks {
		stats[name] = u.task.Stats()
	}
	return stats
}

// Run starts everything, and stops it in order when ctx is done. An error means that edged could not start, or that a
// part it cannot be without has ended.
func (g *Gateway) Run(ctx context.Context) error {
	stop, err := g.start(ctx)
	if err == nil {
		close(g.ready)
		select {
		case <-ctx.Done():
		case err = <-g.failed:
		}
	}
	return errors.Join(err, stop())
}

// start starts the parts in order. stop, never nil, stops what was started.
func (g *Gateway) start(ctx context.Context) (stop func() error, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.store, err = buffer.Open(g.cfg.Buffer, buffer.Options{Dir: filepath.Join(g.cfg.DataDir, "buffer"), Log: g.part("buffer"), OnLoss: g.losses.add}); err != nil {
		return func() error { return nil }, err
	}
	guard, err := newGuard(g.cfg.Broker.Access, g.part("access"))
	if err != nil {
		return g.store.Close, err
	}
	if g.broker, err = broker.New(g.cfg.Broker.Config, broker.Options{Log: g.part("broker"), Store: g.store, Access: guard, Version: g.o.Version}); err != nil {
		return g.store.Close, err
	}
	// Whoever wants messages is attached before the first publisher can connect.
	for _, c := range g.cfg.Uplinks {
		u, err := g.newUplink(c)
		if err == nil {
			err = g.attach(u)
		}
		if err != nil {
			g.detachAll()
			return g.store.Close, err
		}
	}
	g.reportOrphans()
	junction := start(g.broker, g.ended)
	stop = func() error { return g.stop(junction) }
	if err := junction.ready(ctx); err != nil {
		return stop, err
	}
	for _, u := range g.uplinks {
		u.running = start(u.task, g.ended)
	}
	for _, c := range g.cfg.Devices {
		d, err := g.newDevice(c)
		if err != nil {
			return stop, err
		}
		d.running = start(d.task, g.deviceEnded)
		g.devices[c.Name] = d
	}
	return stop, nil
}

// stop stops devices, uplinks, broker and store, in this order.
func (g *Gateway) stop(junction *running) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var producers, links []*running
	for _, d := range g.devices {
		producers = append(producers, d.running)
	}
	for _, u := range g.uplinks {
		if u.running != nil {
			links = append(links, u.running)
		}
	}
	stopAll(producers)
	stopAll(links)
	g.detachAll()
	err := junction.stop()
	return errors.Join(err, g.store.Close())
}

// ended is called when a part ends that edged cannot be without. When it was told to, nobody listens any more.
func (g *Gateway) ended(r *running) {
	err := r.err
	if err == nil {
		err = fmt.Errorf("%s has ended", r.task)
	}
	select {
	case g.failed <- err:
	default:
	}
}

func (g *Gateway) deviceEnded(r *running) {
	if r.err != nil {
		g.o.Log.Error("a device has ended; the others go on", "device", r.task, "error", r.err)
	}
}

// part is the log of a part.
func (g *Gateway) part(name string) *slog.Logger { return g.o.Log.With("part", name) }

// reportOrphans names queues that no uplink of the configuration drains. They stay: a typing error must cost no data.
func (g *Gateway) reportOrphans() {
	for _, name := range g.store.Queues() {
		uplink, ok := strings.CutPrefix(name, queuePrefix)
		if !ok || slices.ContainsFunc(g.cfg.Uplinks, func(c bridge.Config) bool { return c.Name == uplink }) {
			continue
		}
		g.o.Log.Warn("a queue is kept for an uplink that the configuration does not have; name the uplink again to forward what waits", "uplink", uplink)
	}
}
