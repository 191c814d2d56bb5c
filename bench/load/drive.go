package load

import (
	"sync"
	"time"
)

// Saturate lets all publishers send as fast as their windows allow: for warm, and then for d, at whose beginning and end it
// calls mark. It returns when all they sent is acknowledged and delivered.
func (l *Load) Saturate(pubs []*Publisher, warm, d time.Duration, mark func()) error {
	stop := make(chan struct{})
	wait := l.start(pubs, stop, 0)
	err := l.Sleep(warm)
	if err == nil {
		mark()
		err = l.Sleep(d)
		mark()
	}
	close(stop)
	if first := wait(); first != nil {
		return first
	}
	return err
}

// SendEach lets each publisher send n messages, and returns when all are acknowledged and delivered.
func (l *Load) SendEach(pubs []*Publisher, n uint64) error {
	return l.start(pubs, nil, n)()
}

// start runs all publishers; wait returns their first error.
func (l *Load) start(pubs []*Publisher, stop <-chan struct{}, limit uint64) (wait func() error) {
	var wg sync.WaitGroup
	for _, p := range pubs {
		wg.Go(func() {
			if err := p.Run(stop, limit); err != nil {
				l.cancel(err)
			}
		})
	}
	return func() error {
		wg.Wait()
		return l.err()
	}
}

// Pace sends rate messages a second for d, taking the publishers in turn and waiting for nobody; then it waits until all are
// acknowledged and delivered. Go's timers give ticks of about a millisecond, so a rate above 1,000 comes in small groups.
func (l *Load) Pace(pubs []*Publisher, rate int, d time.Duration) error {
	begin, sent := now(), 0
	for {
		elapsed := time.Duration(now() - begin)
		if elapsed >= d {
			break
		}
		for due := int(elapsed.Seconds() * float64(rate)); sent < due; sent++ {
			if err := pubs[sent%len(pubs)].send(1); err != nil {
				l.cancel(err)
				return l.err()
			}
		}
		if err := l.Sleep(500 * time.Microsecond); err != nil {
			return err
		}
	}
	for _, p := range pubs {
		if err := p.Drain(); err != nil {
			l.cancel(err)
			return l.err()
		}
	}
	return nil
}
