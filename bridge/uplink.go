package bridge

import (
	"context"
	"errors"
	"log/slog"

	"github.com/edged/edged"
)

// Options are what an Uplink needs besides its configuration.
type Options struct {
	// ID is the edge's id, {id} in the configuration.
	ID string
	// BootID is different for each start of the process, Version is edged's.
	BootID, Version string
	// Queue holds what the local broker routed to this uplink by Config.Subscriptions.
	Queue edged.Queue
	// Bus is the local broker, as a client of the name under which Queue is attached: the loop guard compares the two.
	Bus edged.Bus
	// Store keeps a note of which server has the session; nil: it is remembered while the process runs.
	Store edged.Store
	// Dial connects; paho.Dialer makes one.
	Dial Dialer
	// Log takes the uplink's log; nil: discarded.
	Log *slog.Logger
}

// Uplink carries messages between the local broker and a server. Make it with New.
type Uplink struct {
	cfg   Config
	o     Options
	ready chan struct{}
}

// New makes an uplink; cfg must pass Check.
func New(cfg Config, o Options) (*Uplink, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return &Uplink{cfg: cfg, o: o, ready: make(chan struct{})}, nil
}

// String names the task: "uplink cloud".
func (u *Uplink) String() string { return "uplink " + u.cfg.Name }

// Ready is closed when the uplink has begun to connect: a server that cannot be reached does not hold up a start.
func (u *Uplink) Ready() <-chan struct{} { return u.ready }

// Run keeps the connection up until ctx is done.
func (u *Uplink) Run(ctx context.Context) error { return errors.New("uplink: not yet") }

// Lost reports a gap in the queue. It does not block.
func (u *Uplink) Lost(l edged.Loss) {}

// Stats describes the uplink at this moment.
func (u *Uplink) Stats() Stats { return Stats{} }
