package faults

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// fault is what a line does from one byte on.
type fault int

const (
	cut        fault = iota // both sides see a reset; the bytes before it arrive
	delayed                 // the bytes come a moment later, here and there
	chopped                 // they come in pieces of 1 to 16 bytes
	silent                  // nothing comes any more, in both directions, and nobody is told
	deaf                    // the same, but only towards edged: what edged sends arrives
	manyFaults = iota
)

func (f fault) String() string { return [...]string{"cut", "delayed", "chopped", "silent", "deaf"}[f] }

// line is the way from edged to the cloud's broker. It breaks from an exact byte on.
type line struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
	armed  bool
	fault  fault
	left   int // bytes until the fault strikes, of both directions
	struck int // faults that have struck
	conns  map[*crossing]bool
	closed bool
}

// crossing is one connection over the line.
type crossing struct {
	edge, cloud net.Conn
	// The rest is guarded by the line's mutex.
	chopped bool
	late    bool
	broken  [2]bool // nothing passes: towards the cloud, towards edged
	ended   chan struct{}
}

// lay opens a line to the port; its own is that of addr. It ends with the test.
func lay(t *testing.T, target int, random *rand.Rand) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, target: fmt.Sprintf("127.0.0.1:%d", target), random: random, conns: make(map[*crossing]bool)}
	l.running.Go(l.accept)
	t.Cleanup(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		listener.Close()
		l.heal()
		l.running.Wait()
	})
	return l
}

func (l *line) port() int { return l.listener.Addr().(*net.TCPAddr).Port }

// arm lets the fault strike after so many bytes; it takes the place of one that has not struck yet.
func (l *line) arm(f fault, after int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed, l.fault, l.left = true, f, after
}

// heal takes back all faults; connections that are broken end.
func (l *line) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	for c := range l.conns {
		c.chopped, c.late = false, false
		if l.closed || c.broken[0] || c.broken[1] {
			c.end()
		}
	}
}

func (l *line) strikes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.struck
}

func (l *line) accept() {
	for {
		edge, err := l.listener.Accept()
		if err != nil {
			return
		}
		cloud, err := net.Dial("tcp", l.target)
		if err != nil { // the cloud's broker is away
			edge.Close()
			continue
		}
		c := &crossing{edge: edge, cloud: cloud, ended: make(chan struct{})}
		l.mu.Lock()
		l.conns[c] = true
		if l.closed {
			c.end()
		}
		l.mu.Unlock()
		l.running.Go(func() { l.carry(c, 0, c.cloud, c.edge) })
		l.running.Go(func() { l.carry(c, 1, c.edge, c.cloud) })
	}
}

// carry carries bytes in one direction until one of the sides closes, or the line ends the connection.
func (l *line) carry(c *crossing, direction int, to io.Writer, from io.Reader) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.end()
		delete(l.conns, c)
	}()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			pass, pause, ok := l.pass(c, direction, len(b))
			if pause > 0 {
				select {
				case <-c.ended:
				case <-time.After(pause):
				}
			}
			if _, err := to.Write(b[:pass]); err != nil {
				return
			}
			if !ok {
				<-c.ended
				return
			}
			b = b[pass:]
		}
		if err != nil {
			return
		}
	}
}

// pass says how many of n bytes pass now, after which pause, and whether more may follow.
func (l *line) pass(c *crossing, direction, n int) (pass int, pause time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.broken[direction] {
		return 0, 0, false
	}
	if c.late {
		pause = time.Duration(l.random.IntN(20)) * time.Millisecond
	}
	if c.chopped {
		n = min(n, 1+l.random.IntN(16))
	}
	if !l.armed {
		return n, pause, true
	}
	if l.left > n {
		l.left -= n
		return n, pause, true
	}
	n = l.left
	l.armed = false
	l.struck++
	switch l.fault {
	case cut:
		// What passed before this byte is on its way already; the rest of this piece is lost with the connection.
		c.end()
		return 0, 0, false
	case delayed:
		c.late = true
	case chopped:
		c.chopped = true
	case silent:
		c.broken = [2]bool{true, true}
		return n, 0, false
	case deaf:
		c.broken[1] = true
		return n, pause, direction == 0
	}
	return n, pause, true
}

// end resets both sides. The line's mutex is held.
func (c *crossing) end() {
	select {
	case <-c.ended:
		return
	default:
		close(c.ended)
	}
	for _, side := range []net.Conn{c.edge, c.cloud} {
		_ = side.(*net.TCPConn).SetLinger(0) // fails on a closed connection only
		side.Close()
	}
}

// TestLine: every fault does what its name says, from the byte on that it was armed with.
func TestLine(t *testing.T) {
	cloud, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	l := lay(t, cloud.Addr().(*net.TCPAddr).Port, rand.New(rand.NewPCG(1, 2)))
	sent := bytes.Repeat([]byte("0123456789"), 100)
	for f := range fault(manyFaults) {
		t.Run(f.String(), func(t *testing.T) {
			edge, err := net.Dial("tcp", l.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer edge.Close()
			far, err := cloud.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer far.Close()
			first := make([]byte, 700)
			l.arm(f, 705)
			before := l.strikes()
			go func() {
				edge.Write(sent[:700])
			}()
			if _, err := io.ReadFull(far, first); err != nil || !bytes.Equal(first, sent[:700]) {
				t.Fatalf("before the fault: %v", err)
			}
			go func() {
				edge.Write(sent[700:])
			}()
			rest := make(chan []byte, 1)
			go func() {
				b := make([]byte, 300)
				n, _ := io.ReadFull(far, b)
				rest <- b[:n]
			}()
			var got []byte
			switch f {
			case cut:
				got = <-rest
				if len(got) > 5 {
					t.Errorf("%d bytes came after the cut", len(got))
				}
			case delayed, chopped, deaf:
				if got = <-rest; !bytes.Equal(got, sent[700:]) {
					t.Errorf("%q arrived", got)
				}
			case silent:
				eventually(t, 10*time.Second, func() bool { return l.strikes() > before }, func() string { return "the fault strikes" })
				l.heal()
				if got = <-rest; len(got) != 5 {
					t.Errorf("%d bytes came before the silence, want 5", len(got))
				}
			}
			if l.strikes() != before+1 {
				t.Errorf("%d faults struck", l.strikes()-before)
			}
			if f == deaf {
				far.Write([]byte("answer"))
				l.heal()
				if b, _ := io.ReadAll(edge); len(b) > 0 {
					t.Errorf("edged got %q over a line that is deaf towards it", b)
				}
			}
		})
	}
}
