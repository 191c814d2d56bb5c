package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/edged/edged"
)

// link is what the uplink does with one connection. It is the connection's Handler.
//
//	queue ──lease──► pump ──Publish, Release──► Conn ──PUBREC──► queue.Received ──durable──► pump (PUBREL)
//	live (QoS 0) ──►  │                          │  ──PUBACK, PUBCOMP──► queue.Ack
//	                  ▼                          └──PUBLISH──► inbox ──► local broker ──kept──► ack
//	             one order of sending
type link struct {
	u       *Uplink
	conn    Conn
	session uint64
	window  *window
	live    *liveQueue
	inbox   *inbox
	// lost: the server has no session of before, so that what was under way is sent again, as if for the first time.
	lost bool

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	released []uint64      // PUBREC is on disk, PUBREL is to be sent
	pending  int           // receipts that are not yet on disk
	quiet    chan struct{} // closed when the link has ended and pending is 0; nil before
}

// The steps of a planned stop, each bounded, so that the whole takes less than five seconds, also if the peer stalls.
const (
	stopPump     = 500 * time.Millisecond
	stopRecord   = 1500 * time.Millisecond
	stopGoodbye  = time.Second
	stopReporter = time.Second
)

func (u *Uplink) newLink(ctx context.Context, session uint64) *link {
	l := &link{u: u, session: session, window: newWindow(), live: &liveQueue{poke: u.poke}, inbox: newInbox()}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	return l
}

// Received is part of Handler. The PUBREL may go out once both the receipt and, for a message that an earlier session
// had taken over, the note that it is valid again, are on disk.
func (l *link) Received(seq uint64) {
	saved := l.window.oldest(seq)
	steps := 2
	l.mu.Lock()
	l.pending++
	l.mu.Unlock()
	failed := false
	step := func(err error) {
		if err != nil {
			l.cancel(fmt.Errorf("keeping the server's receipt: %w", err))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		failed = failed || err != nil
		if steps--; steps > 0 {
			return
		}
		if !failed {
			l.released = append(l.released, seq)
		}
		if l.pending--; l.pending == 0 && l.quiet != nil {
			close(l.quiet)
		}
		l.u.poke()
	}
	l.u.o.Queue.Received(seq, func(err error) {
		if err == nil {
			l.u.saved.raise(saved)
		}
		step(err)
	})
	l.u.valid(seq, step)
}

// settle waits until no receipt is on its way to the disk: one that arrived there later would be taken for one of the
// next connection.
func (l *link) settle(ctx context.Context) {
	l.mu.Lock()
	quiet := make(chan struct{})
	if l.pending == 0 {
		close(quiet)
	} else {
		l.quiet = quiet
	}
	l.mu.Unlock()
	select {
	case <-quiet:
	case <-ctx.Done():
	}
}

// Completed is part of Handler.
func (l *link) Completed(seq uint64) {
	l.u.o.Queue.Ack(seq)
	if l.window.done(seq) {
		l.u.count(func(s *Stats) { s.Forwarded++ })
	}
	l.u.poke()
}

// Message is part of Handler.
func (l *link) Message(m edged.Message, ack func()) {
	err := l.inbox.push(incoming{m: m, ack: ack})
	switch {
	case err == nil:
	case m.QoS == edged.AtMostOnce:
		l.u.count(func(s *Stats) { s.ReceiveDropped++ })
	default: // the server keeps it, and sends it again on the next connection
		l.cancel(err)
	}
}

// run works until the connection ends or ctx is done. It is nil after a planned stop.
func (l *link) run(ctx context.Context, tasks ...func() error) error {
	var wg sync.WaitGroup
	for _, task := range tasks {
		wg.Go(func() {
			if err := task(); err != nil {
				l.cancel(err)
			}
		})
	}
	wg.Go(func() {
		select {
		case <-l.conn.Done():
			l.cancel(l.conn.Err())
		case <-l.ctx.Done():
		}
	})
	<-l.ctx.Done()
	err := context.Cause(l.ctx)
	planned := ctx.Err() != nil || errors.Is(err, errLinkDone)
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	if planned && waitFor(ended, stopPump) {
		l.goodbye(ctx.Err() != nil)
	}
	l.conn.Close() // also wakes what is blocked in it
	<-ended
	l.settle(ctx)
	if planned {
		return nil
	}
	return err
}

// errLinkDone ends a link that has done what it was for: to have the session forgotten.
var errLinkDone = errors.New("done")

// goodbye tells the server that the end is planned.
func (l *link) goodbye(stopping bool) {
	if stopping && l.u.livenessTopic != "" {
		ctx, cancel := context.WithTimeout(context.Background(), stopRecord)
		defer cancel()
		if err := l.conn.Announce(ctx, l.u.offline(l.session, "stopped")); err != nil {
			l.u.log.Warn("the server did not confirm that this edge stops", "error", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopGoodbye)
	defer cancel()
	l.conn.Disconnect(ctx)
}

// waitFor says whether done was closed within d.
func waitFor(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
