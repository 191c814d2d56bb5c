package demo

import (
	"context"
	"io"
	"net"
	"sync"
)

// line is the network between the edge and the cloud: it passes bytes on, until it is cut.
type line struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
	wait  sync.WaitGroup
}

func newLine(to string) (*line, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &line{listener: l, to: to, conns: make(map[net.Conn]struct{})}, nil
}

func (l *line) addr() string { return l.listener.Addr().String() }

// run accepts connections until ctx is done, and returns when all have ended.
func (l *line) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { l.listener.Close() })
	defer stop()
	for {
		near, err := l.listener.Accept()
		if err != nil {
			break // closed
		}
		l.wait.Go(func() { l.carry(near) })
	}
	l.set(true)
	l.wait.Wait()
}

// carry connects one connection through, for as long as the line is whole.
func (l *line) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer far.Close()
	if !l.hold(near, far) {
		return
	}
	defer l.release(near, far)
	var back sync.WaitGroup
	back.Go(func() { pass(near, far) })
	pass(far, near)
	back.Wait()
}

// pass copies one direction. When it ends, both do: a cut line is cut in both directions.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		from.Close()
	}
	to.Close()
}

func (l *line) hold(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return false
	}
	for _, c := range conns {
		l.conns[c] = struct{}{}
	}
	return true
}

func (l *line) release(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.conns, c)
	}
}

// set cuts the line, with everything that is on its way, or mends it.
func (l *line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	for c := range l.conns {
		if cut {
			c.Close()
		}
	}
}
