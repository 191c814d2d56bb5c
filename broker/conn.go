package broker

import (
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// conn is one network connection. Its goroutine, serve, reads and handles packets; whoever has something to send puts it
// into the output (see output.go).
type conn struct {
	b       *Broker
	way     *way
	sock    net.Conn
	nc      net.Conn          // what carries MQTT: sock, or what open put around it
	raw     syscall.RawConn   // nil: nc is not a socket
	from    net.Addr          // the client, which a proxy may have told
	cert    *x509.Certificate // of the client, verified; nil: none
	user    string            // who it is; empty: anonymous
	grants  Grants            // what it may do; nil: everything
	expires *time.Timer       // of its token; nil: never
	remote  string
	version mqtt.Version
	sess    *session  // nil until CONNECT was accepted
	auth    *exchange // nil: the client asked for no extended authentication
	client  principal
	// referred: there is no room for the client, who is told where else to go.
	referred bool
	near     bool // it is on this machine
	terse    bool // request problem information 0: reason strings are not wanted
	router   router

	// The broker's mutex guards these; see admit.go.
	address    netip.Addr
	connecting bool

	// The reader's own.
	in        input
	keepAlive time.Duration // one and a half intervals; 0: none
	will      *edged.Message
	willDelay uint32 // seconds
	expiry    uint32
	aliases   map[uint16]string
	commits   []pendingCommit
	counted   tally
	pace      *pace  // nil: no bound
	refusals  uint64 // publishes and subscriptions refused

	// What the client asked for, fixed after CONNECT.
	window    int    // QoS 1 and 2 messages it takes at once
	maxPacket uint32 // 0: no limit

	mu        sync.Mutex
	out       output
	acks      acks
	flights   inflight
	nextSeq   uint64    // of a message that comes from no queue
	waiting   []waiter  // such messages beyond the window
	waitSize  int64     // bytes of them
	accounted int64     // of what waits, in the broker's memory
	pump      pumpState // of the session's queue
	kicked    *ending
	closed    bool
	work      sync.WaitGroup // goroutines beside serve
	pumps     sync.WaitGroup // the one of them that uses the session's queue

	toClient *aliasTable // mu guards it; nil: the client takes no aliases

	lastRead time.Time     // kick's deadline for reading
	quit     chan struct{} // closed by kick: whoever waits for something gives up
	released event         // the session is free for another connection
	ended    event         // all is over
}

func (b *Broker) newConn(nc net.Conn, w *way) *conn {
	c := &conn{
		b: b, way: w, sock: nc, nc: nc, from: nc.RemoteAddr(), remote: nc.RemoteAddr().String(), version: mqtt.V311,
		quit: make(chan struct{}),
	}
	c.router.b = b
	c.pace = newPace(&b.cfg.Limits)
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	c.in.init(c)
	return c
}

// serve runs the connection to its end.
func (c *conn) serve() {
	end := c.run(true)
	if end == errCalm {
		c.calmDown()
		return
	}
	defer c.happened(&c.ended)
	c.finish(end)
}

// resume is serve in another goroutine, whose stack is small again; see calm.go.
func (c *conn) resume() {
	defer c.b.running.Done()
	end := c.run(false)
	if end == errCalm {
		c.calmDown()
		return
	}
	defer c.happened(&c.ended)
	c.finish(end)
}

func (c *conn) run(first bool) (end *ending) {
	defer c.recovered(func() { end = errPanicked })
	if first {
		c.router.now = time.Now()
		c.in.limit = c.router.now.Add(c.b.cfg.Limits.ConnectTimeout)
		if err := c.open(); err != nil {
			return c.why(err)
		}
	}
	for {
		if err := c.in.fill(); err != nil {
			return c.why(err)
		}
		if err := c.readPackets(c.handle); err != nil {
			return c.why(err)
		}
		c.settle()
	}
}

// recovered is the last line: a panic ends this connection and is counted, nothing else happens.
func (c *conn) recovered(then func()) {
	if p := recover(); p != nil {
		c.b.stats.panics.Add(1)
		c.b.log.Error("panic; please report it", "client", c.client.name, "remote", c.remote, "panic", p, "stack", string(debug.Stack()))
		then()
	}
}

// why finds the reason behind an error of the reader: who kicks makes reading fail.
func (c *conn) why(err error) *ending {
	c.mu.Lock()
	kicked := c.kicked
	c.mu.Unlock()
	if kicked == errTakenOver {
		if e := asEnding(err); e.left {
			return e
		}
	}
	if kicked != nil {
		return kicked
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if c.sess == nil {
			return &ending{why: "no CONNECT within broker.limits.connect_timeout", gone: true}
		}
		return errIdle
	}
	return asEnding(err)
}

// kick ends the connection from outside, without waiting.
func (c *conn) kick(why *ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kickLocked(why)
}

func (c *conn) kickLocked(why *ending) {
	if c.kicked != nil || c.closed {
		return
	}
	c.kicked = why
	close(c.quit)
	c.acks.changed()
	c.lastRead = time.Unix(1, 0)
	if why == errTakenOver {
		c.lastRead = time.Now().Add(lastWords)
	}
	_ = c.nc.SetReadDeadline(c.lastRead) // fails only when the connection is closed already
}

// kickedUntil is how long a connection that was kicked may be read on.
func (c *conn) kickedUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastRead
}

// lastWords is how long a connection whose client has come back on another is read on: what it sent before, perhaps its DISCONNECT, has
// arrived already and is taken in.
const lastWords = 50 * time.Millisecond

// abort closes the socket under whatever is still going on.
func (c *conn) abort() { _ = c.sock.Close() }

// spawn runs f beside serve; false: the connection is over. c.mu is held.
func (c *conn) spawn(f func()) bool {
	if c.closed {
		return false
	}
	c.work.Go(func() {
		defer c.recovered(func() { c.kick(errPanicked) })
		f()
	})
	return true
}

// farewell is how long a client has to take the reason of its end.
const farewell = time.Second

// finish gives the session back, tells the client why, and closes. A socket closed with unread bytes in it sends RST and the
// reason is lost: so the write side is shut, and what still comes is drained for a bounded moment.
func (c *conn) finish(end *ending) {
	c.kick(end) // wakes whoever waits
	if c.expires != nil {
		c.expires.Stop()
	}
	c.log(end)
	func() {
		defer c.recovered(func() {})
		c.settle()
		c.release(end)
	}()
	c.happened(&c.released)
	if !end.gone {
		c.sayGoodbye(end)
	}
	c.mu.Lock()
	c.closed = true
	c.acks.changed()
	c.mu.Unlock()
	c.abort()
	c.work.Wait()
	c.settleAccount()
	c.in.release()
	c.b.forget(c)
}

// halfCloser can say that nothing follows, and still read.
type halfCloser interface{ CloseWrite() error }

func (c *conn) sayGoodbye(end *ending) {
	if c.nc.SetDeadline(time.Now().Add(farewell)) != nil {
		return
	}
	c.mu.Lock()
	if end.code >= 0x80 && c.version == mqtt.V5 && c.sess != nil {
		c.put(&mqtt.Disconnect{Code: end.code, Properties: c.b.because(end.code, end.why)})
	}
	c.mu.Unlock()
	c.drainOutput()
	if layer, ok := c.nc.(halfCloser); ok && c.nc != c.sock {
		_ = layer.CloseWrite() // it ends in any case
	}
	if half, ok := c.sock.(halfCloser); ok && half.CloseWrite() == nil {
		scratch := make([]byte, 1024)
		for total := 0; total < 1<<20; {
			n, err := c.sock.Read(scratch)
			if total += n; err != nil {
				return
			}
		}
	}
}

func (c *conn) log(end *ending) {
	log := c.b.log.With("client", c.client.name, "remote", c.remote, "reason", end.why)
	switch {
	case c.sess == nil && end.quiet:
		log.Debug("connection closed before CONNECT")
	case c.sess == nil:
		c.b.stats.refused.Add(1)
		if end.logged {
			log.Debug("connection refused")
			return
		}
		log.Warn("connection refused")
	case end.quiet:
		log.Debug("disconnected")
	default:
		log.Info("disconnected", "code", end.code.String())
	}
}
