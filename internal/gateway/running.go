package gateway

import (
	"context"
	"fmt"

	"github.com/edged/edged"
)

// running is a task that was started.
type running struct {
	task   edged.Task
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
	err    error         // why it returned; read it after done
	told   bool          // it ended because it was told to; read it after done
}

// start runs t until it is stopped. ended is called when t ends without having been told to.
func start(t edged.Task, ended func(*running)) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{task: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		err := t.Run(ctx)
		if err != nil {
			r.err = fmt.Errorf("%s: %w", t, err)
		}
		r.told = ctx.Err() != nil
		close(r.done)
		if !r.told {
			ended(r)
		}
	}()
	return r
}

// ready waits until the task does its work.
func (r *running) ready(ctx context.Context) error {
	select {
	case <-r.task.Ready():
		return nil
	case <-r.done:
		if r.err == nil {
			return fmt.Errorf("%s ended before it was ready", r.task)
		}
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop tells the task to end, waits for it, and returns its error. What ended before has been reported when it did.
func (r *running) stop() error {
	r.cancel()
	<-r.done
	if !r.told {
		return nil
	}
	return r.err
}

// stopAll stops tasks side by side, so that one slow goodbye does not wait for another.
func stopAll(tasks []*running) {
	for _, r := range tasks {
		r.cancel()
	}
	for _, r := range tasks {
		<-r.done
	}
}
