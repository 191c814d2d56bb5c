package paho

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
)

// deafBus is a local broker to which nobody listens.
type deafBus struct{}

func (deafBus) Publish(context.Context, ...edged.Message) error                    { return nil }
func (deafBus) Subscribe(context.Context, edged.Subscription, edged.Handler) error { return nil }

// config is for a test that goes through hundreds of connections: between one address and the next there is no pause.
func config(url string) bridge.Config {
	c := bridge.DefaultConfig()
	c.Name, c.URLs, c.SharedSession = "cloud", slices.Repeat([]string{url}, 10_000), true
	c.Forward = []bridge.Forward{{From: "#", To: "{topic}", QoS: 2}}
	c.Inflight, c.AckTimeout, c.ConnectTimeout = 32, time.Second, time.Second
	return c
}

// process is one life of an uplink.
type process struct {
	q      *memQueue
	u      *bridge.Uplink
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// begin runs an uplink on what is on disk, with a local broker if the test has one.
func begin(t testing.TB, d *disk, c bridge.Config, modulus uint64, local ...edged.Bus) *process {
	t.Helper()
	p := &process{q: d.open()}
	local = append(local, deafBus{})
	u, err := bridge.New(c, bridge.Options{
		ID: "gw-01", BootID: "boot", Version: "test", Queue: p.q, Store: p.q, Bus: local[0], Dial: dialer(modulus, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.u = u
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.ended.Go(func() {
		if err := u.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

// stop ends it as planned.
func (p *process) stop() {
	p.cancel()
	p.ended.Wait()
	p.q.cut()
}

// powerCut ends it without a word.
func (p *process) powerCut(b *chaos) {
	p.q.cut()
	b.dropAll()
	p.cancel()
	p.ended.Wait()
}

func messages(from, n int, qos func(i int) edged.QoS) []edged.Message {
	out := make([]edged.Message, n)
	for i := range out {
		payload := binary.BigEndian.AppendUint32(nil, uint32(from+i))
		out[i] = edged.Message{Topic: "t", Payload: payload, QoS: qos(from + i), Time: time.Now()}
	}
	return out
}

// tally counts how often each message arrived, and checks the order of first arrivals.
func tally(t *testing.T, got []string, n int) (lost, doubled int) {
	t.Helper()
	seen := make([]int, n)
	last, disorder := -1, 0
	for _, payload := range got {
		i := number(payload)
		if seen[i]++; seen[i] > 1 {
			doubled++
			continue
		}
		if i < last {
			disorder++
		}
		last = i
	}
	for _, times := range seen {
		if times == 0 {
			lost++
		}
	}
	if disorder > 0 {
		t.Errorf("%d messages arrived out of order", disorder)
	}
	return lost, doubled
}

func level(q edged.QoS) func(int) edged.QoS { return func(int) edged.QoS { return q } }

func TestChaos(t *testing.T) {
	const n = 3000
	for _, c := range []struct {
		name            string
		onRelease, lose bool
		qos             edged.QoS
		modulus         uint64
	}{
		{"QoS 2 delivered on PUBLISH", false, false, 2, 200},
		{"QoS 2 delivered on PUBREL", true, false, 2, 200},
		{"QoS 2 delivered on PUBLISH, sessions lost", false, true, 2, 500},
		{"QoS 2 delivered on PUBREL, sessions lost", true, true, 2, 500},
		{"QoS 1", false, true, 1, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newChaos(t)
			b.onRelease, b.cutAfter, b.stallOneIn = c.onRelease, 500, 60
			if c.lose {
				b.loseOneIn = 10
			}
			b.start()
			d := newDisk()
			p := begin(t, d, config(b.url()), c.modulus)
			cuts := 0
			for sent := 0; sent < n; sent += 500 {
				p.q.append(messages(sent, 500, level(c.qos))...)
				want := len(b.got()) + 100 + rand.IntN(300)
				b.wait(time.Minute, "progress", func() bool { return len(b.got()) >= want || p.q.Stats().Messages == 0 })
				if rand.IntN(2) == 0 {
					p.powerCut(b)
					p = begin(t, d, config(b.url()), c.modulus)
					cuts++
				}
			}
			b.mu.Lock()
			b.quiet = true
			b.mu.Unlock()
			b.wait(time.Minute, "all acknowledged", func() bool { return p.q.Stats().Messages == 0 })
			uncertain := p.u.Stats().Uncertain
			p.stop()
			lost, doubled := tally(t, b.got(), n)
			t.Logf("%d connections, %d sessions lost, %d stalls, %d power cuts: %d lost, %d doubled; %d uncertain in the last life", b.connects, b.losses, b.stalls, cuts, lost, doubled, uncertain)
			if lost > 0 {
				t.Errorf("%d messages were lost", lost)
			}
			if c.qos == 2 && !c.lose && doubled > 0 {
				t.Errorf("%d QoS 2 messages were doubled", doubled)
			}
			if limit := b.losses * 32; c.qos == 2 && doubled > limit {
				t.Errorf("%d QoS 2 messages were doubled; %d losses of the session allow %d", doubled, b.losses, limit)
			}
		})
	}
}

// TestChaosDown: commands come down in order, at least once, through any cuts, and are acknowledged only once kept.
func TestChaosDown(t *testing.T) {
	const n = 1000
	b := newChaos(t)
	b.cutAfter = 400
	for _, m := range messages(0, n, level(1)) {
		b.commands = append(b.commands, string(m.Payload))
	}
	b.start()
	c := config(b.url())
	c.Receive = []bridge.Receive{{From: "commands/#", To: "{topic:1}", QoS: 1}}
	d, local := newDisk(), &bus{}
	p := begin(t, d, c, 200, local)
	b.wait(time.Minute, "all commands are acknowledged", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.commands) == 0 && len(b.session.down) == 0
	})
	p.stop()
	if lost, doubled := tally(t, local.payloads("x"), n); lost > 0 {
		t.Errorf("%d commands were lost, %d doubled", lost, doubled)
	}
	if b.connects < 50 {
		t.Errorf("only %d connections: the test has lost its teeth", b.connects)
	}
}
