package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	// Store keeps a note of which server has the session. nil: after a restart the first of URLs is taken to have it,
	// if anything was ever acknowledged.
	Store edged.Store
	// Dial connects; paho.Dialer makes one.
	Dial Dialer
	// Log takes the uplink's log; nil: discarded.
	Log *slog.Logger
}

// Uplink carries messages between the local broker and a server. Make it with New.
type Uplink struct {
	cfg              Config
	o                Options
	log              *slog.Logger
	servers          []*server
	clientID         string
	livenessTopic    string
	forward, receive routes

	ready   chan struct{}
	running atomic.Bool
	wake    chan struct{} // the pump may have something to do
	changed chan struct{} // there is a new state to tell
	// lostHere is to be told to the local broker, lostAbove to the server.
	lostHere, lostAbove *ledger

	// Only the goroutine that connects, and the pump while it runs, use these.
	sentTo  uint64 // the last message that may have been sent
	scanned bool   // sentTo is known
	saved   savedMark

	noteMu sync.Mutex // for Void while a link runs
	note   note

	mu        sync.Mutex
	stats     Stats
	connected time.Time // when the last connection was made
}

// server is one of the URLs.
type server struct{ url *url.URL }

// New makes an uplink; cfg must pass Check.
func New(cfg Config, o Options) (*Uplink, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if o.ID == "" || strings.ContainsAny(o.ID, "/+#") || o.Queue == nil || o.Bus == nil || o.Dial == nil {
		return nil, fmt.Errorf("uplink %s: it needs an id without / + #, a queue, a bus and a dialer", cfg.Name)
	}
	u := &Uplink{
		cfg: cfg, o: o, log: o.Log, ready: make(chan struct{}), wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		lostHere: newLedger(), lostAbove: newLedger(),
		clientID:      strings.ReplaceAll(cfg.ClientID, "{id}", o.ID),
		livenessTopic: strings.ReplaceAll(cfg.Liveness.Topic, "{id}", o.ID),
		stats:         Stats{State: Stopped, Since: time.Now()},
	}
	if u.log == nil {
		u.log = slog.New(slog.DiscardHandler)
	}
	u.log = u.log.With("uplink", cfg.Name)
	for _, s := range cfg.URLs {
		parsed, err := parseURL(s)
		if err != nil {
			return nil, err
		}
		u.servers = append(u.servers, &server{url: parsed})
	}
	var err error
	if u.forward, err = cfg.forwardRoutes(o.ID); err != nil {
		return nil, err
	}
	if u.receive, err = cfg.receiveRoutes(o.ID); err != nil {
		return nil, err
	}
	return u, nil
}

// String names the task: "uplink cloud".
func (u *Uplink) String() string { return "uplink " + u.cfg.Name }

// Ready is closed when the uplink has begun to connect: a server that cannot be reached does not hold up a start.
func (u *Uplink) Ready() <-chan struct{} { return u.ready }

// Run keeps the connection up until ctx is done, tells the server that it stops, and returns within five seconds. It
// can be called once.
func (u *Uplink) Run(ctx context.Context) error {
	if u.running.Swap(true) {
		return fmt.Errorf("%s: Run was called twice", u)
	}
	u.loadNote()
	if _, err := u.scan(); err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	u.o.Queue.Notify(u.poke)
	defer u.o.Queue.Notify(nil)
	reportCtx, stopReport := context.WithCancel(context.WithoutCancel(ctx))
	var reporter sync.WaitGroup
	reporter.Go(func() { u.report(reportCtx) })
	close(u.ready)

	u.keepUp(ctx)

	stopReport()
	reporter.Wait()
	u.setState(Stopped, "")
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopReporter)
	defer cancel()
	if err := u.o.Bus.Publish(last, u.stateMessage()); err != nil {
		u.log.Warn("the local broker did not take the last record about this uplink", "error", err)
	}
	return nil
}

// keepUp connects again and again. A server that fails is followed by the next; after the last of them comes a pause.
// A connection that has lasted is begun again with the first server.
func (u *Uplink) keepUp(ctx context.Context) {
	var pauses backoff
	refused := false
	for i := 0; ctx.Err() == nil; {
		begun := u.connectedSince()
		err := u.connect(ctx, u.servers[i])
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the connection ended")
		}
		since := u.connectedSince()
		lasted := !since.Equal(begun) && time.Since(since) >= stable
		refused = refused || refusedCredentials(err)
		u.fail(err)
		if i++; i < len(u.servers) && !lasted {
			continue
		}
		i = 0
		if lasted {
			pauses.reset()
		}
		pause := pauses.next(refused)
		refused = false
		u.log.Warn("the uplink is down", "error", err, "again_in", pause.Round(time.Millisecond))
		pauseFor(ctx, pause)
	}
}

// dial makes one connection, and the link for it.
func (u *Uplink) dial(parent context.Context, s *server, clean bool) (*link, error) {
	session := u.attempt(s)
	ctx, cancel := context.WithTimeout(parent, u.cfg.ConnectTimeout)
	defer cancel()
	d := Dial{
		URL: s.url, ClientID: u.clientID, Username: u.cfg.Username, Clean: clean, KeepAlive: u.cfg.KeepAlive,
		AckTimeout: u.cfg.AckTimeout, PacketBytes: int(u.cfg.PacketBytes),
	}
	var err error
	if d.Password, err = u.cfg.password(); err != nil {
		return nil, err
	}
	if s.url.Scheme == "mqtts" {
		if d.TLS, err = u.cfg.TLS.config(s.url.Hostname()); err != nil {
			return nil, err
		}
	}
	if u.livenessTopic != "" && !clean {
		will := u.offline(session, "connection lost")
		d.Will = &will
	}
	l := u.newLink(parent, session)
	d.Handler = l
	if l.conn, err = u.o.Dial(ctx, d); err != nil {
		l.cancel(err)
		return nil, fmt.Errorf("connecting to %s: %w", s.url.Host, err)
	}
	return l, nil
}

// poke wakes the pump; it does not block.
func (u *Uplink) poke() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}
