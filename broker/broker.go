package broker

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/edged/edged"
)

// Options are what a Broker needs besides its configuration. The zero value is usable.
type Options struct {
	// Log takes the broker's log; nil: discarded.
	Log *slog.Logger
	// Store keeps sessions, their queues, and retained messages; nil: in memory only, gone with the process.
	Store edged.Store
	// Version is told under $SYS/broker/version.
	Version string
}

// Broker is an MQTT server. Make it with New.
type Broker struct {
	cfg   Config
	opts  Options
	ready chan struct{}
}

// New makes a broker; cfg must pass Check. Attach and Client work from here on; the network is served by Run.
func New(cfg Config, opts Options) (*Broker, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return &Broker{cfg: cfg, opts: opts, ready: make(chan struct{})}, nil
}

// String names the task.
func (b *Broker) String() string { return "broker" }

// Ready is closed when every listener accepts connections.
func (b *Broker) Ready() <-chan struct{} { return b.ready }

// Run listens and serves until ctx is done.
func (b *Broker) Run(ctx context.Context) error { return errors.New("broker: not yet") }

// Addrs are the addresses listened on, in the order of the configuration; call it after Ready.
func (b *Broker) Addrs() []net.Addr { return nil }

// Client is a client inside the process; its messages are From name.
func (b *Broker) Client(name string) edged.Bus { return nil }

// Attach makes q a durable subscriber.
func (b *Broker) Attach(name string, q edged.Queue, subs []edged.Subscription) (detach func(), err error) {
	return nil, errors.New("broker: not yet")
}

// Stats describe the broker at one moment.
type Stats struct{}

// Stats returns the broker's counters.
func (b *Broker) Stats() Stats { return Stats{} }
