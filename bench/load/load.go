package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

var errClosed = errors.New("load closed")

// start is the zero of the generator's clock.
var start = time.Now()

// now is the generator's monotonic clock, in nanoseconds.
func now() int64 { return int64(time.Since(start)) }

// Load owns connections to one broker and the goroutines that serve them.
type Load struct {
	addr   string
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	// patience is how long nothing may arrive before what is missing counts as lost.
	patience time.Duration

	mu      sync.Mutex
	clients []*Client
}

// New begins a load on the broker at addr. It ends with ctx, with the first error of a publisher or sink, or with Close.
func New(ctx context.Context, addr string) *Load {
	l := &Load{addr: addr, patience: 10 * time.Second}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.wg.Go(func() {
		<-l.ctx.Done()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, c := range l.clients {
			c.conn.Close()
		}
	})
	return l
}

// Close closes all connections and waits for all goroutines. It returns what ended the load before, and else err, which is
// how its user fared.
func (l *Load) Close(err error) error {
	l.cancel(errClosed)
	l.wg.Wait()
	if first := l.err(); first != nil {
		return first
	}
	return err
}

// err is why the load has ended; nil when it has not, or when Close ended it.
func (l *Load) err() error {
	if err := context.Cause(l.ctx); err != nil && !errors.Is(err, errClosed) {
		return err
	}
	return nil
}

// run starts a goroutine whose error ends the load.
func (l *Load) run(f func() error) {
	l.wg.Go(func() {
		if err := f(); err != nil {
			l.cancel(err)
		}
	})
}

// Sleep waits for d, or for the end of the load, whose error it returns.
func (l *Load) Sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// Await waits until got() has reached want. It fails when nothing more arrives for ten seconds, or when there is more than
// want.
func (l *Load) Await(what string, want uint64, got func() uint64) error {
	last, since := got(), now()
	for ; last < want; last = got() {
		if err := l.Sleep(time.Millisecond); err != nil {
			return err
		}
		if n := got(); n != last {
			since = now()
		} else if now()-since > int64(l.patience) {
			return fmt.Errorf("%d of %d %s, and no more for %v: the broker lost them", n, want, what, l.patience)
		}
	}
	if last > want {
		return fmt.Errorf("%d %s, where %d were expected", last, what, want)
	}
	return nil
}
