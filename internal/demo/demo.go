// Package demo shows edged's main job on one screen: a stand-in cloud, an edge with simulated devices, and a line between them that is cut and
// mended, with an account of every reading at the end. Everything is real but the devices and the place: the brokers are edged's own and
// talk over loopback, the queue is on disk.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/configs"
	"github.com/edged/edged/internal/client"
	"github.com/edged/edged/internal/gateway"
)

// Options say how the demo goes.
type Options struct {
	// Out takes the screen.
	Out io.Writer
	// Log takes the log of both brokers and the edge; nil: discarded.
	Log *slog.Logger
	// Before is how long readings flow before the line is cut, Outage how long it stays cut; 0: 4 s and 8 s.
	Before, Outage time.Duration
	// Patience bounds how long the backlog may take to drain; 0: one minute.
	Patience time.Duration
	Version  string
}

// site stands before each topic in the cloud.
const site = "sites/demo/"

const config = `
id: demo
data_dir: %q
broker: {listeners: [{url: "mqtt://127.0.0.1:0"}]}
uplinks:
  - name: cloud
    urls: ["mqtt://%s"]
    forward: [{from: "devices/#", to: "sites/demo/{topic}", qos: 1}]
devices:
  - {name: boiler, driver: sim, every: 50ms, points: [{name: count, generator: counter}, {name: temperature, generator: sine, min: 55, max: 75, unit: "°C"}]}
  - {name: meter, driver: sim, every: 20ms, points: [{name: count, generator: counter}, {name: voltage, generator: walk, min: 225, max: 235, step: 0.2, unit: V}]}
  - {name: tank, driver: sim, every: 100ms, points: [{name: count, generator: counter}, {name: level, generator: ramp, unit: "%%"}]}
`

// Run runs the demo. Its error says what could not be done; a loss is in the tally, not in the error.
func Run(ctx context.Context, o Options) (t Tally, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Before, o.Outage, o.Patience = orElse(o.Before, 4*time.Second), orElse(o.Outage, 8*time.Second), orElse(o.Patience, time.Minute)
	dir, err := os.MkdirTemp("", "edged-demo-")
	if err != nil {
		return Tally{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithCancelCause(ctx)
	var tasks sync.WaitGroup
	defer func() {
		cancel(nil)
		tasks.Wait()
	}()
	run := func(ctx context.Context, task edged.Task) {
		tasks.Go(func() {
			if err := task.Run(ctx); err != nil {
				cancel(fmt.Errorf("%s: %w", task, err))
			}
		})
	}
	s := &show{Options: o, counter: newCounter(), started: time.Now()}

	cloud, err := broker.New(broker.Config{Listeners: []broker.Listener{{URL: "mqtt://127.0.0.1:0"}}, Anonymous: broker.Loopback, Limits: broker.DefaultConfig().Limits},
		broker.Options{Log: o.Log.With("at", "cloud"), Version: o.Version})
	if err != nil {
		return Tally{}, err
	}
	run(ctx, cloud)
	if err := ready(ctx, cloud); err != nil {
		return Tally{}, err
	}
	cloudAddr := cloud.Addrs()[0].String()
	if s.line, err = newLine(cloudAddr); err != nil {
		return Tally{}, err
	}
	tasks.Go(func() { s.line.run(ctx) })
	if err := watch(ctx, &tasks, cloudAddr, site+"devices/#", s.counter.atCloud); err != nil {
		return Tally{}, fmt.Errorf("reader at the cloud: %w", err)
	}

	cfg, err := configs.Parse("demo.yaml", fmt.Appendf(nil, config, dir, s.line.addr()))
	if err != nil {
		return Tally{}, err
	}
	if s.edge, err = gateway.New(cfg, gateway.Options{Log: o.Log.With("at", "edge"), Version: o.Version}); err != nil {
		return Tally{}, err
	}
	run(ctx, s.edge)
	if err := ready(ctx, s.edge); err != nil {
		return Tally{}, err
	}
	edgeAddr := s.edge.Addrs()[0].String()
	if err := watch(ctx, &tasks, edgeAddr, "devices/#", s.counter.atEdge); err != nil {
		return Tally{}, fmt.Errorf("reader at the edge: %w", err)
	}
	s.title(cloudAddr, edgeAddr)
	return s.play(ctx)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

func ready(ctx context.Context, task edged.Task) error {
	select {
	case <-task.Ready():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watch subscribes over the network, as a stranger would, and calls seen for each message until ctx is done.
func watch(ctx context.Context, tasks *sync.WaitGroup, addr, filter string, seen func(topic string, payload []byte)) error {
	c, err := client.Dial(ctx, client.Options{URL: "mqtt://" + addr, ClientID: "demo-reader", CleanStart: true, Buffer: 1000})
	if err != nil {
		return err
	}
	tasks.Go(func() {
		for m := range c.Messages() {
			seen(m.Topic, m.Payload)
		}
	})
	context.AfterFunc(ctx, func() { _ = c.Close() }) // what it lost is in the tally
	codes, err := c.Subscribe(ctx, mqtt.Filter{Filter: filter, QoS: 1})
	if err == nil && codes[0] != mqtt.GrantedQoS1 {
		err = fmt.Errorf("subscribe to %s: %s", filter, codes[0])
	}
	return err
}
