package paho

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
)

// TestMosquittoRestarts: QoS 2 through a real server that is stopped and started again while messages are under way. A
// session of a subscriber that is away gathers them.
func TestMosquittoRestarts(t *testing.T) {
	const n = 4000
	m := startMosquitto(t)
	m.sub(t, "-E")
	d := newDisk()
	c := config(m.url())
	c.Inflight = 256
	p := begin(t, d, c, sequenceIDs)
	for i := range 8 {
		p.q.append(messages(i*n/8, n/8, level(2))...)
		want := uint64(i*n/8 + 50)
		eventually(t, 20*time.Second, "some are through", func() bool { return p.q.Stats().Cursor > want })
		m.stop()
		if i == 4 { // the edge's power fails, too
			p.q.cut()
			p.cancel()
			p.ended.Wait()
			p = begin(t, d, c, sequenceIDs)
		}
		m.start()
	}
	eventually(t, 30*time.Second, "all are through", func() bool { return p.q.Stats().Messages == 0 })
	p.stop()
	var got []string
	for _, line := range strings.Fields(m.sub(t, "-W", "3")) {
		b, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	if lost, doubled := tally(t, got, n); lost > 0 || doubled > 0 {
		t.Errorf("%d lost, %d doubled", lost, doubled)
	}
}

// sub runs mosquitto_sub with a session for the topic t, to its end.
func (m *mosquitto) sub(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"-h", "127.0.0.1", "-p", fmt.Sprint(m.port), "-i", "away", "-c", "-q", "2", "-t", "t", "-F", "%x"}, args...)
	out, err := exec.Command("mosquitto_sub", args...).Output()
	if exit := (&exec.ExitError{}); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 27) { // 27: its -W is over
		t.Fatalf("mosquitto_sub: %v", err)
	}
	return string(out)
}

// bus is a local broker that keeps what it is given, or refuses.
type bus struct {
	mu    sync.Mutex
	msgs  []edged.Message
	fails error
}

func (b *bus) Publish(_ context.Context, msgs ...edged.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails != nil {
		return b.fails
	}
	b.msgs = append(b.msgs, msgs...)
	return nil
}

func (b *bus) Subscribe(context.Context, edged.Subscription, edged.Handler) error { return nil }

func (b *bus) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = err
}

// payloads are those published under a topic.
func (b *bus) payloads(topic string) (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.msgs {
		if m.Topic == topic {
			out = append(out, string(m.Payload))
		}
	}
	return out
}

func (m *mosquitto) publish(t *testing.T, topic, payload string) {
	t.Helper()
	out, err := exec.Command("mosquitto_pub", "-h", "127.0.0.1", "-p", fmt.Sprint(m.port), "-q", "1", "-t", topic, "-m", payload).CombinedOutput()
	if err != nil {
		t.Fatalf("mosquitto_pub: %v: %s", err, out)
	}
}

// status is the liveness record that a reader has seen last.
func (r *reader) status(t *testing.T, topic string) map[string]any {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := hex.DecodeString(r.seen[topic])
	if err != nil {
		t.Fatal(err)
	}
	var rec map[string]any
	if len(b) > 0 && json.Unmarshal(b, &rec) != nil {
		t.Fatalf("%s: %q is not JSON", topic, b)
	}
	return rec
}

// TestMosquittoCommands: what comes down is acknowledged only once the local broker has kept it, also across a cut; only
// what a rule maps comes down; birth, will and planned stop are seen by others.
func TestMosquittoCommands(t *testing.T) {
	m := startMosquitto(t)
	r := m.subscribe("edged/#")
	local, d := &bus{}, newDisk()
	c := bridge.DefaultConfig()
	c.Name, c.URLs = "cloud", []string{m.url()}
	c.Receive = []bridge.Receive{{From: "sites/{id}/commands/#", To: "{topic:3}", QoS: 1}}
	run := func() *process {
		q := d.open()
		u, err := bridge.New(c, bridge.Options{ID: "gw-01", BootID: "b1", Version: "v", Queue: q, Store: q, Bus: local, Dial: Dialer(nil)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		p := &process{q: q, u: u, cancel: cancel}
		p.ended.Go(func() {
			if err := u.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		return p
	}
	p := run()
	online := func(state, reason string) func() bool {
		return func() bool {
			rec := r.status(t, "edged/gw-01/status")
			return rec["state"] == state && (reason == "" || rec["reason"] == reason)
		}
	}
	eventually(t, 10*time.Second, "the birth", online("online", ""))
	m.publish(t, "sites/gw-01/commands/devices/boiler/setpoint/set", "1")
	m.publish(t, "sites/gw-02/commands/devices/boiler/setpoint/set", "not ours")
	const set = "devices/boiler/setpoint/set"
	eventually(t, 10*time.Second, "the first command", func() bool { return len(local.payloads(set)) == 1 })

	local.fail(errors.New("disk full"))
	m.publish(t, "sites/gw-01/commands/devices/boiler/setpoint/set", "2")
	m.publish(t, "sites/gw-01/commands/devices/boiler/setpoint/set", "3")
	p.stop() // unacknowledged: the server keeps them
	eventually(t, 10*time.Second, "the planned stop", online("offline", "stopped"))
	m.publish(t, "sites/gw-01/commands/devices/boiler/setpoint/set", "4")
	local.fail(nil)
	p = run()
	defer p.stop()
	eventually(t, 10*time.Second, "all commands", func() bool { return len(local.payloads(set)) >= 4 })
	if got := fmt.Sprint(local.payloads(set)); got != "[1 2 3 4]" {
		t.Errorf("got %s", got)
	}
	if s := p.u.Stats(); s.Received != 3 || s.State != bridge.Connected {
		t.Errorf("stats: %+v", s)
	}
}
