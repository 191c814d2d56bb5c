package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edged/edged"
	"github.com/edged/edged/configs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

func parse(t *testing.T, dir, sections string) *configs.Config {
	t.Helper()
	cfg, err := configs.Parse("edged.yaml", fmt.Appendf(nil, "id: gw\ndata_dir: %q\nbroker: {listeners: [{url: \"mqtt://127.0.0.1:0\"}]}\n%s", dir, sections))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// run starts a gateway, and stops it at the end of the test.
func run(t *testing.T, cfg *configs.Config) *Gateway {
	t.Helper()
	g, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	select {
	case <-g.Ready():
	case err := <-ended:
		ended <- err
		t.Fatalf("the gateway ended before it was ready: %v", err)
	}
	return g
}

// watch subscribes at the gateway's broker.
func watch(t *testing.T, g *Gateway, filter string) <-chan edged.Message {
	t.Helper()
	messages := make(chan edged.Message, 10_000)
	if err := g.broker.Client("watch").Subscribe(t.Context(), edged.Subscription{Filter: filter, QoS: 1}, func(m edged.Message) {
		select {
		case messages <- m:
		default:
		}
	}); err != nil {
		t.Fatal(err)
	}
	return messages
}

// await returns the first message for which ok is true.
func await(t *testing.T, messages <-chan edged.Message, what string, ok func(edged.Message) bool) edged.Message {
	t.Helper()
	for timeout := time.After(patience); ; {
		select {
		case m := <-messages:
			if ok(m) {
				return m
			}
		case <-timeout:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

func value(t *testing.T, m edged.Message) float64 {
	t.Helper()
	var r struct{ Value *float64 }
	if err := json.Unmarshal(m.Payload, &r); err != nil {
		t.Fatalf("%s: %q: %v", m.Topic, m.Payload, err)
	}
	if r.Value == nil {
		return -1 // a bad reading
	}
	return *r.Value
}

func counter(name string, start int) string {
	return fmt.Sprintf("  - {name: %s, driver: sim, every: 5ms, points: [{name: count, generator: counter, start: %d}]}\n", name, start)
}

func TestReloadTouchesOnlyWhatChanged(t *testing.T) {
	dir := t.TempDir()
	g := run(t, parse(t, dir, "devices:\n"+counter("stays", 0)+counter("changes", 0)+counter("goes", 0)))
	messages := watch(t, g, "devices/+/count")
	await(t, messages, "reading of the device that stays beyond 10", func(m edged.Message) bool {
		return m.Topic == "devices/stays/count" && value(t, m) > 10
	})

	// The device that stays has moved in the file, which is no change.
	changes, err := g.Reload(parse(t, dir, "devices:\n"+counter("comes", 0)+counter("changes", 1_000_000)+counter("stays", 0)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"device goes removed", "device comes added", "device changes changed"}
	if fmt.Sprint(changes) != fmt.Sprint(want) {
		t.Errorf("changes are %q, want %q", changes, want)
	}
	if _, still := g.devices["goes"]; still {
		t.Error("the removed device still runs")
	}
	seen := map[string]bool{}
	last := -1.0
	await(t, messages, "readings of all three devices", func(m edged.Message) bool {
		v := value(t, m)
		switch m.Topic {
		case "devices/stays/count":
			if v < last {
				t.Errorf("the device that did not change went back from %v to %v: it was restarted", last, v)
			}
			last = v
			seen["stays"] = v > 20
		case "devices/changes/count":
			seen["changes"] = seen["changes"] || v >= 1_000_000
		case "devices/comes/count":
			seen["comes"] = true
		}
		return seen["stays"] && seen["changes"] && seen["comes"]
	})
}

func TestReloadRefusesAsAWhole(t *testing.T) {
	dir := t.TempDir()
	g := run(t, parse(t, dir, "devices:\n"+counter("a", 0)))
	for name, c := range map[string]struct{ sections, want string }{
		"a section that needs a restart": {"buffer: {min_free_disk: 32MiB}\ndevices:\n" + counter("b", 0), "buffer needs a restart"},
		"a device with a mistake":        {"devices:\n" + counter("b", 0) + "  - {name: c, driver: sim, points: [{name: x, generator: sinus}]}\n", "sinus"},
		"an uplink with a mistake":       {"devices:\n" + counter("b", 0) + "uplinks:\n  - {name: u}\n", "urls"},
	} {
		cfg, err := configs.Parse("edged.yaml", fmt.Appendf(nil, "id: gw\ndata_dir: %q\nbroker: {listeners: [{url: \"mqtt://127.0.0.1:0\"}]}\n%s", dir, c.sections))
		var changes []string
		if err == nil {
			changes, err = g.Reload(cfg)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || len(changes) != 0 {
			t.Errorf("%s: got changes %q and error %v; want none, and an error with %q", name, changes, err, c.want)
		}
		if len(g.devices) != 1 || g.devices["a"] == nil {
			t.Errorf("%s: the devices are %v, want a alone", name, g.devices)
		}
	}
}

func TestAPortInUseIsSaidOnceAndLeavesNothingOpen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	cfg := parse(t, dir, "")
	cfg.Broker.Listeners[0].URL = "mqtt://" + l.Addr().String()
	for range 2 { // the second time shows that the first has closed the store
		g, err := New(cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = g.Run(t.Context())
		if err == nil || strings.Count(err.Error(), "address already in use") != 1 {
			t.Fatalf("got %q, want the address in use, once", err)
		}
	}
}

// TestAChangedUplinkMissesNothing: while the uplink's rules are replaced again and again, every message that is published is kept for it.
func TestAChangedUplinkMissesNothing(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0") // a server that never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	config := func(to string) *configs.Config {
		return parse(t, dir, fmt.Sprintf("uplinks:\n  - {name: cloud, urls: [\"mqtt://%s\"], forward: [{from: \"sensors/#\", to: %q}]}\n", l.Addr(), to))
	}
	g := run(t, config("0/{topic}"))
	const messages = 300
	published := make(chan error, 1)
	go func() {
		sensor := g.broker.Client("sensor")
		for n := range messages {
			if err := sensor.Publish(t.Context(), edged.Message{Topic: "sensors/a", Payload: fmt.Append(nil, n), QoS: 1}); err != nil {
				published <- err
				return
			}
		}
		published <- nil
	}()
	for n := 1; ; n++ {
		select {
		case err := <-published:
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Uplinks()["cloud"].Backlog; got != messages {
				t.Errorf("%d messages wait for the uplink after %d reloads, want each of %d once", got, n, messages)
			}
			return
		default:
		}
		if _, err := g.Reload(config(fmt.Sprint(n, "/{topic}"))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARemovedUplinkKeepsItsQueueAndIsNamedAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	with := fmt.Sprintf("uplinks:\n  - {name: cloud, urls: [\"mqtt://%s\"], forward: [{from: \"#\"}]}\n", l.Addr())
	t.Run("with", func(t *testing.T) {
		g := run(t, parse(t, dir, with))
		if err := g.broker.Client("a").Publish(t.Context(), edged.Message{Topic: "a", QoS: 1}); err != nil {
			t.Fatal(err)
		}
		if changes, err := g.Reload(parse(t, dir, "")); err != nil || len(changes) != 1 || !strings.Contains(changes[0], "uplink cloud removed") {
			t.Fatalf("reload without the uplink: %q, %v", changes, err)
		}
	})
	t.Run("without", func(t *testing.T) {
		var log bytes.Buffer
		g, err := New(parse(t, dir, ""), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "uplink=cloud") {
			t.Errorf("the log does not name the queue without an uplink:\n%s", log.String())
		}
	})
	t.Run("with again", func(t *testing.T) {
		g := run(t, parse(t, dir, with))
		if got := g.Uplinks()["cloud"].Backlog; got != 1 {
			t.Errorf("%d messages wait, want the one from before", got)
		}
	})
}

func TestLossesReachTheUplinkAlsoWhenTheyCameBeforeIt(t *testing.T) {
	var l losses
	var got []string
	tell := func(loss edged.Loss) { got = append(got, loss.Queue+" "+loss.Reason) }
	l.add(edged.Loss{Queue: "uplink/a", Reason: "early"})
	l.add(edged.Loss{Queue: "session/x", Reason: "early"})
	l.to("uplink/a", tell)
	l.to("uplink/b", tell)
	l.add(edged.Loss{Queue: "uplink/a", Reason: "late"})
	l.add(edged.Loss{Queue: "uplink/c", Reason: "late"})
	if want := "[uplink/a early uplink/a late]"; fmt.Sprint(got) != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if len(l.early) != 1 {
		t.Errorf("%v wait; want the one of the uplink that is not there", l.early)
	}
}
