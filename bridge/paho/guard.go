package paho

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/edged/edged/bridge"
)

// guard stands between paho and the network. It is the net.Conn that paho sees.
//
//	paho ──PUBLISH QoS 0──► Write: made QoS 1 or 2, with its identifier ──► out ──► writer ──► network
//	bridge ──PUBREL────────────────────────────────────────────────────────►┘
//	paho ◄─ all else ── Read: checked ◄── PUBACK, PUBREC, PUBCOMP are taken out, for ids ◄── network
type guard struct {
	net.Conn // the network; Read, Write and Close are the guard's own
	in       *bufio.Reader
	ids      *ids
	dial     bridge.Dial

	// pubMu is held from promote to the end of paho's Publish, so that promotions are in the order of packets.
	pubMu sync.Mutex

	mu         sync.Mutex
	wake       sync.Cond
	out        []byte // whole packets for the writer
	writing    bool   // the writer has taken packets, and is not through
	promotions []promotion
	asked      map[uint16]int // SUBSCRIBE by paho's identifier: how many filters
	err        error          // why it ended
	finishing  time.Time      // when set: a planned end, and how long it may take

	done    chan struct{} // closed when err is set
	workers sync.WaitGroup

	frame []byte // a packet for paho, and what is left of it
	left  []byte
}

// promotion is what a PUBLISH that paho sends at QoS 0 becomes. qos 0: it stays what it is.
type promotion struct {
	id  uint16
	qos byte
	dup bool
}

// outBytes is how much may wait for the network before Publish and Release wait, too.
const outBytes = 64 << 10

func newGuard(raw net.Conn, t *ids, d bridge.Dial) *guard {
	g := &guard{Conn: raw, in: bufio.NewReaderSize(raw, 16<<10), ids: t, dial: d, asked: map[uint16]int{}, done: make(chan struct{})}
	g.wake.L = &g.mu
	g.workers.Go(g.writer)
	g.workers.Go(g.watch)
	return g
}

// fail ends the connection; the first cause stays.
func (g *guard) fail(err error) {
	g.mu.Lock()
	first := g.err == nil
	if first {
		g.err = err
		close(g.done)
		g.wake.Broadcast()
	}
	g.mu.Unlock()
	if first {
		g.Conn.Close()
	}
}

// cause is why the connection ended; nil while it has not.
func (g *guard) cause() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// finish says that the end is near and planned: Close then lets what waits go out, until the deadline.
func (g *guard) finish(deadline time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.finishing = deadline
	g.wake.Broadcast()
}

// wait waits for the guard's goroutines.
func (g *guard) wait() { g.workers.Wait() }

var (
	errServerClosed = errors.New("the server closed the connection")
	errPahoClosed   = errors.New("paho closed the connection")
)

// SetWriteDeadline does nothing: the writer has its own.
func (g *guard) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is what paho uses for the handshake.
func (g *guard) SetDeadline(t time.Time) error { return g.Conn.SetReadDeadline(t) }

// Close is called by paho. After DISCONNECT what waits goes out first, and the sending side is shut before the rest:
// closing a socket with unread bytes would take back what was sent last, and the server would publish the will.
func (g *guard) Close() error {
	g.mu.Lock()
	deadline := g.finishing
	for !deadline.IsZero() && (len(g.out) > 0 || g.writing) && g.err == nil {
		g.wake.Wait() // whoever asked for the planned end gives up at the deadline, and calls fail
	}
	ended := g.err != nil
	g.mu.Unlock()
	if !deadline.IsZero() && !ended {
		g.linger(deadline)
	}
	g.fail(errPahoClosed)
	return nil
}

// linger shuts the sending side, and waits for the server to do the same.
func (g *guard) linger(deadline time.Time) {
	half, ok := g.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || g.Conn.SetReadDeadline(deadline) != nil {
		return
	}
	var scrap [1024]byte
	for {
		if _, err := g.Conn.Read(scrap[:]); err != nil {
			return
		}
	}
}

// watch ends a connection on which the server owes answers and nothing moves.
func (g *guard) watch() {
	tick := time.NewTicker(max(g.dial.AckTimeout/4, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-g.done:
			return
		case <-tick.C:
			if g.ids.stalled() > g.dial.AckTimeout {
				g.fail(fmt.Errorf("the server has acknowledged nothing for %s", g.dial.AckTimeout))
			}
		}
	}
}
