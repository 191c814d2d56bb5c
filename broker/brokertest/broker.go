// Package brokertest starts real brokers for tests, and has a store whose faults are made to order.
package brokertest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
)

// Running is a broker that serves on a loopback port.
type Running struct {
	*broker.Broker
	stop  context.CancelFunc
	ended chan error
}

// Option changes what Start starts.
type Option func(*broker.Config, *broker.Options)

// With sets the store.
func With(s edged.Store) Option {
	return func(_ *broker.Config, o *broker.Options) { o.Store = s }
}

// Log sets the log.
func Log(l *slog.Logger) Option {
	return func(_ *broker.Config, o *broker.Options) { o.Log = l }
}

// Config changes the configuration.
func Config(f func(*broker.Config)) Option {
	return func(c *broker.Config, _ *broker.Options) { f(c) }
}

// Start starts a broker on a port of 127.0.0.1 that the kernel chooses, and stops it when the test ends.
func Start(t testing.TB, options ...Option) *Running {
	t.Helper()
	cfg := broker.DefaultConfig()
	cfg.Listeners = []broker.Listener{{URL: "mqtt://127.0.0.1:0"}}
	o := broker.Options{Version: "test"}
	for _, f := range options {
		f(&cfg, &o)
	}
	b, err := broker.New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Running{Broker: b, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- b.Run(ctx) }()
	select {
	case <-b.Ready():
	case err := <-r.ended:
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop(t) })
	return r
}

// Addr is host:port of the listener.
func (r *Running) Addr() string { return r.Addrs()[0].String() }

// Stop stops the broker in order, once; it must not take longer than ten seconds.
func (r *Running) Stop(t testing.TB) {
	t.Helper()
	r.stop()
	select {
	case err, first := <-r.ended:
		if first {
			close(r.ended)
		}
		if err != nil {
			t.Errorf("broker: %v", err)
		}
		if n := r.Stats().Panics; n > 0 {
			t.Errorf("%d panics", n)
		}
	case <-time.After(10 * time.Second):
		t.Errorf("the broker does not stop")
	}
}
