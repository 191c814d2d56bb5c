package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/broker/internal/memstore"
	"github.com/edged/edged/codec/topic"
)

// Options are what a Broker needs besides its configuration. The zero value is usable.
type Options struct {
	// Log takes the broker's log; nil: discarded.
	Log *slog.Logger
	// Store keeps sessions, their queues, and retained messages; nil: in memory only, gone with the process.
	Store edged.Store
	// Access says who clients are and what they may do; nil: all are anonymous, and may do all but publish under $SYS.
	Access Access
	// Verifiers let clients log in by SCRAM-SHA-256, whatever Config.Anonymous says; nil: there is no extended authentication.
	// Access is asked only for what such a user may do.
	Verifiers Verifiers
	// Version is told under $SYS/broker/version.
	Version string
}

// Broker is an MQTT server, an edged.Task. Make it with New.
//
// Locks, outermost first: Broker.mu or routes.RWMutex, then a connection's or a local subscription's, then the retained
// messages'. None is held while something is read, written or committed.
type Broker struct {
	cfg       Config
	log       *slog.Logger
	store     edged.Store
	access    Access
	verifiers Verifiers
	secret    []byte // of this process
	version   string
	started   time.Time

	routes   routes
	retained retained
	stats    counters
	ids      atomic.Uint64 // of subscribers
	memory   atomic.Int64  // bytes that wait for and from connected clients; see memory.go

	mu       sync.Mutex
	sessions map[string]*session
	conns    map[*conn]struct{}
	door     door
	stopping bool
	atRun    []func() // starts the clocks of what was loaded

	ready   chan struct{}
	addrs   []net.Addr
	urls    []string
	stopped chan struct{} // closed when Run ends: in-process clients end too
	running sync.WaitGroup
	calm    calm
	ran     atomic.Bool
}

// routes are all subscriptions by their filters. Publishing reads them; a subscriber's retained messages are handed over
// under the write lock, so that no live message can come before or between them.
type routes struct {
	sync.RWMutex
	trie     topic.Trie[*subscription]
	attached map[string]*attached // by name
	shares   map[string]*share    // by filter, with $share and the share name
}

// New makes a broker and loads what the store holds; cfg must pass Check. Attach and Client work from here on; the
// network is served by Run.
func New(cfg Config, opts Options) (*Broker, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b := &Broker{
		cfg: cfg, log: opts.Log, store: opts.Store, verifiers: opts.Verifiers, secret: []byte(rand.Text()), access: opts.Access, version: opts.Version, started: time.Now(),
		sessions: map[string]*session{}, conns: map[*conn]struct{}{}, door: door{addresses: map[netip.Addr]int{}}, routes: routes{attached: map[string]*attached{}},
		calm: calm{first: make(chan struct{}, 1)}, ready: make(chan struct{}), stopped: make(chan struct{}),
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.store == nil {
		b.store = memstore.New()
	}
	b.retained.init(cfg.Limits, b.store, b.log, &b.calm)
	if err := b.retained.load(); err != nil {
		return nil, fmt.Errorf("broker: load the retained messages: %w", err)
	}
	if err := b.loadSessions(); err != nil {
		return nil, fmt.Errorf("broker: load the sessions: %w", err)
	}
	return b, nil
}

// String names the task.
func (b *Broker) String() string { return "broker" }

// Ready is closed when every listener accepts connections.
func (b *Broker) Ready() <-chan struct{} { return b.ready }

// Addrs are the addresses listened on, in the order of the configuration; call it after Ready.
func (b *Broker) Addrs() []net.Addr { return b.addrs }

// URLs are those addresses as a client writes them: mqtts://127.0.0.1:8883.
func (b *Broker) URLs() []string { return b.urls }

// How long a stop waits: for connections to take their DISCONNECT, and for the store to take what is left.
const (
	stopConnections = 2 * time.Second
	stopStore       = 5 * time.Second
)

// Run listens and serves until ctx is done, then stops in order: no new connections, DISCONNECT to all clients (without
// their wills), retained messages saved. In-process clients get edged.ErrClosed from then on. It can be called once.
func (b *Broker) Run(ctx context.Context) error {
	if b.ran.Swap(true) {
		return errors.New("broker: Run was called before; make a new broker")
	}
	listeners, err := b.listen(ctx)
	if err != nil {
		b.stop(nil)
		return err
	}
	for _, l := range listeners {
		b.addrs = append(b.addrs, l.Addr())
		b.urls = append(b.urls, l.at(l.Addr()))
		b.log.Info("listening", "url", l.at(l.Addr()))
		b.running.Go(func() { b.accept(l) })
	}
	b.startClocks()
	b.running.Go(b.retained.saveLazily)
	b.running.Go(b.publishSys)
	b.running.Go(func() { b.calm.watch(b.stopped) })
	close(b.ready)
	<-ctx.Done()
	b.stop(listeners)
	return nil
}

func (b *Broker) stop(listeners []*way) {
	for _, l := range listeners {
		if err := l.Close(); err != nil {
			b.log.Warn("close listener", "error", err)
		}
	}
	b.mu.Lock()
	b.stopping = true
	conns := make([]*conn, 0, len(b.conns))
	for c := range b.conns {
		conns = append(conns, c)
	}
	for _, s := range b.sessions {
		s.stopTimer()
	}
	b.atRun = nil
	b.mu.Unlock()
	for _, c := range conns {
		c.kick(b.goodbye())
	}
	force := time.AfterFunc(stopConnections, func() {
		for _, c := range conns {
			c.abort()
		}
	})
	limit := time.NewTimer(stopConnections + stopStore)
	defer limit.Stop()
	for _, c := range conns {
		select {
		case <-c.wait(&c.ended):
		case <-limit.C: // a store that does not answer holds it
			limit.Reset(0)
		}
	}
	force.Stop()
	close(b.stopped)
	b.retained.stop()
	all := make(chan struct{})
	go func() {
		b.running.Wait()
		close(all)
	}()
	limit.Reset(stopStore)
	select {
	case <-all:
		b.flushStore()
	case <-limit.C:
		b.log.Error("the store or a handler does not answer; stopping without it", "waited", stopStore)
	}
}

// flushStore waits until the store has answered everything that was committed, within reason: a stalled disk must not
// keep the process from ending.
func (b *Broker) flushStore() {
	done := make(chan struct{})
	b.store.Commit(edged.Batch{}, func(err error) {
		if err != nil {
			b.log.Error("the last commit failed", "error", err)
		}
		close(done)
	})
	t := time.NewTimer(stopStore)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		b.log.Error("the store did not take the last commit in time", "waited", stopStore)
	}
}
