package scenario

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
)

// dialers is how many connections are opened at the same time.
const dialers = 50

// idle measures what a connection costs that has one subscription and is silent.
func idle() Scenario {
	return Scenario{
		Name: "idle",
		About: func(s Scale) string {
			return fmt.Sprintf("%d idle connections, each with one subscription", s.Idle)
		},
		Need: func(Scale) peer.Need { return peer.Need{} },
		Run: func(ctx context.Context, t Target, s Scale) ([]Metric, error) {
			before, err := t.Memory()
			if err != nil {
				return nil, err
			}
			l := load.New(ctx, t.Addr())
			begin := time.Now()
			err = connectIdle(l, s.Idle)
			took := time.Since(begin)
			var after int64
			if err == nil {
				err = l.Sleep(s.Settle)
			}
			if err == nil {
				after, err = t.Memory()
			}
			if err := l.Close(err); err != nil {
				return nil, err
			}
			return []Metric{
				{Name: "memory per connection", Unit: "KB", Value: float64(after-before) / 1e3 / float64(s.Idle)},
				{Name: "connect and subscribe", Unit: "conn/s", Value: float64(s.Idle) / took.Seconds(), More: true},
			}, nil
		},
	}
}

// connectIdle opens n connections with a subscription each.
func connectIdle(l *load.Load, n int) error {
	next := make(chan int)
	errs := make(chan error, dialers)
	var wg sync.WaitGroup
	for range dialers {
		wg.Go(func() {
			var failed error
			for i := range next { // to the end in any case, so that the sender is not left alone
				if failed != nil {
					continue
				}
				c, err := l.Connect(fmt.Sprintf("idle%d", i), false)
				if err == nil {
					err = c.Subscribe(0, fmt.Sprintf("commands/device%d", i))
				}
				failed = err
			}
			errs <- failed
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}
