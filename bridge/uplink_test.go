package bridge

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edged/edged"
)

// rig is an uplink with everything around it faked.
type rig struct {
	t      *testing.T
	q      *fakeQueue
	bus    *fakeBus
	server *fakeServer
	u      *Uplink
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

func testConfig() Config {
	c := DefaultConfig()
	c.Name, c.URLs = "cloud", []string{"mqtt://a.example.com"}
	c.Forward = []Forward{{From: "#", To: "up/{topic}", QoS: 2}}
	return c
}

// start runs an uplink whose session is known, so that it connects once.
func start(t *testing.T, c Config, server *fakeServer, prepare ...func(*rig)) *rig {
	t.Helper()
	r := &rig{t: t, q: newFakeQueue(), bus: &fakeBus{}, server: server}
	u, err := New(c, Options{ID: "gw-01", BootID: "boot", Version: "1.0", Queue: r.q, Bus: r.bus, Dial: server.dial})
	if err != nil {
		t.Fatal(err)
	}
	r.u = u
	r.q.msgs = []edged.Queued{{Seq: 1, Message: edged.Message{Topic: "old"}}}
	r.q.state[1] = "acked"
	for _, f := range prepare {
		f(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	r.ended.Go(func() {
		if err := u.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	<-u.Ready()
	synctest.Wait()
	return r
}

func (r *rig) close() time.Duration {
	began := time.Now()
	r.stop()
	r.ended.Wait()
	return time.Since(began)
}

func TestBackoffAndRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.URLs = []string{"mqtt://a.example.com", "mqtts://b.example.com:1"}
		r := start(t, c, &fakeServer{answer: func(int, Dial) (*fakeConn, error) { return nil, errDown }})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		tries := r.server.tries()
		want := time.Second
		for i := 0; i+2 < len(tries); i += 2 {
			if tries[i].host != "a.example.com:1883" || tries[i+1].host != "b.example.com:1" || !tries[i].at.Equal(tries[i+1].at) {
				t.Errorf("round %d went to %s, then after %s to %s", i/2, tries[i].host, tries[i+1].at.Sub(tries[i].at), tries[i+1].host)
			}
			pause := tries[i+2].at.Sub(tries[i].at)
			if pause < max(time.Second, want*3/4) || pause > min(want*5/4, time.Minute) {
				t.Errorf("pause %d is %s, want about %s", i/2, pause, want)
			}
			want = min(2*want, time.Minute)
		}
		if len(tries) < 20 || len(tries) > 60 {
			t.Errorf("%d attempts in ten minutes", len(tries))
		}
		if s := r.u.Stats(); s.State != Waiting && s.State != Connecting || !strings.Contains(s.Error, "connection refused") || s.Failures == 0 {
			t.Errorf("stats: %+v", s)
		}
		r.close()
	})
}

func TestRefusedCredentialsPauseLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{answer: func(int, Dial) (*fakeConn, error) {
			return nil, &RefusedError{Code: 5, Reason: "not authorised"}
		}})
		time.Sleep(2 * time.Hour)
		tries := r.server.tries()
		last := tries[len(tries)-1].at.Sub(tries[len(tries)-2].at)
		if last < 225*time.Second || last > 5*time.Minute {
			t.Errorf("the pause grew to %s, want about five minutes", last)
		}
		r.close()
	})
}

func TestStableConnectionResetsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{answer: func(n int, d Dial) (*fakeConn, error) {
			if n <= 8 {
				return nil, errDown
			}
			return newConn(), nil
		}})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		before := len(r.server.tries())
		r.server.last(t).end(errDown)
		cut := time.Now()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		tries := r.server.tries()
		if len(tries) != before+1 || tries[before].at.Sub(cut) > 1250*time.Millisecond {
			t.Errorf("after a stable connection: %d attempts more", len(tries)-before)
		}
		// one that does not last counts as a failure
		r.server.last(t).end(errDown)
		cut = time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		if tries = r.server.tries(); tries[before+1].at.Sub(cut) < 1500*time.Millisecond {
			t.Errorf("the pause after a short connection is %s", tries[before+1].at.Sub(cut))
		}
		r.close()
	})
}

func TestBirthWillHeartbeatStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{})
		c := r.server.last(t)
		birth := c.status(t, 0)
		if birth.State != "online" || birth.BootID != "boot" || birth.Version != "1.0" || birth.Session != 1 || birth.Backlog == nil || *birth.Backlog != 0 {
			t.Errorf("birth: %+v", birth)
		}
		var will record
		if w := c.dial.Will; w == nil || w.Topic != "edged/gw-01/status" || !w.Retain || w.QoS != 1 || json.Unmarshal(w.Payload, &will) != nil {
			t.Fatalf("will: %+v", w)
		}
		if will.State != "offline" || will.Reason != "connection lost" || will.Session != birth.Session || will.BootID != "boot" {
			t.Errorf("will: %+v", will)
		}
		c.mu.Lock()
		c.mute = true
		c.mu.Unlock()
		r.q.add(edged.Message{Topic: "t", QoS: 1})
		c.mu.Lock()
		c.mute = false
		c.mu.Unlock()
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if beat := c.status(t, 1); beat.State != "online" || beat.Backlog == nil || *beat.Backlog != 1 || beat.OldestAge == nil || *beat.OldestAge < 59 {
			t.Errorf("heartbeat: %+v", beat)
		}
		r.close()
		if end := c.status(t, -1); end.State != "offline" || end.Reason != "stopped" || end.Session != birth.Session {
			t.Errorf("planned stop: %+v", end)
		}
		if log := c.log(); log[len(log)-1] != "DISCONNECT" || log[len(log)-2] != "ANNOUNCE edged/gw-01/status" {
			t.Errorf("the end was %q", log)
		}
		states := r.bus.under("edged/gw-01/uplinks/cloud/state")
		if len(states) < 2 || !strings.Contains(states[len(states)-1], `"stopped"`) || !strings.Contains(strings.Join(states, ""), `"connected"`) {
			t.Errorf("local states: %q", states)
		}
	})
}

func TestStopEndsWhateverStalls(t *testing.T) {
	for name, stall := range map[string]func(*fakeConn){
		"nothing is acknowledged":   func(c *fakeConn) { c.mute = true },
		"the network takes nothing": func(c *fakeConn) { c.stuck = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, testConfig(), &fakeServer{answer: func(int, Dial) (*fakeConn, error) {
					c := newConn()
					stall(c)
					return c, nil
				}}, func(r *rig) { r.q.hold = true })
				r.q.add(edged.Message{Topic: "t", QoS: 2})
				synctest.Wait()
				if took := r.close(); took > 5*time.Second {
					t.Errorf("the stop took %s", took)
				}
			})
		})
	}
}

func TestSessionNumbersGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{})
		first := r.server.last(t).status(t, 0).Session
		r.server.last(t).end(errDown)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if second := r.server.last(t).status(t, 0).Session; second <= first {
			t.Errorf("session %d came after %d", second, first)
		}
		r.close()
	})
}

func TestRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{})
		if err := r.u.Run(t.Context()); err == nil {
			t.Error("the second Run has no error")
		}
		r.close()
	})
}

func TestLossesAreToldHereAndAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		r := start(t, testConfig(), &fakeServer{answer: func(int, Dial) (*fakeConn, error) {
			if down.Load() {
				return nil, errDown
			}
			return newConn(), nil
		}})
		for i := range uint64(100_000) {
			r.u.Lost(edged.Loss{Reason: "drop-oldest", First: i + 1, Last: i + 1, Messages: 1, Bytes: 10})
		}
		down.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		const topic = "edged/gw-01/uplinks/cloud/lost"
		sum := func(payloads []string) (n, last uint64) {
			for _, p := range payloads {
				var l lossRecord
				if err := json.Unmarshal([]byte(p), &l); err != nil {
					t.Fatal(err)
				}
				n, last = n+l.Messages, max(last, l.Last)
			}
			return n, last
		}
		var above []string
		c := r.server.last(t)
		for _, m := range c.records {
			if m.Topic == topic {
				above = append(above, string(m.Payload))
			}
		}
		for where, payloads := range map[string][]string{"here": r.bus.under(topic), "above": above} {
			if n, last := sum(payloads); n != 100_000 || last != 100_000 || len(payloads) > 3 {
				t.Errorf("%s: %d records tell of %d lost messages up to %d", where, len(payloads), n, last)
			}
		}
		if i := slices.Index(c.log(), "ANNOUNCE "+topic); i <= slices.Index(c.log(), "ANNOUNCE edged/gw-01/status") {
			t.Error("the losses came before the birth")
		}
		r.close()
	})
}
