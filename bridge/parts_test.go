package bridge

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/edged/edged"
)

func TestBackoffStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b backoff
		refused := rapid.Bool().Draw(t, "refused")
		longest := longestPause
		if refused {
			longest = longestWhenRefused
		}
		for range rapid.IntRange(1, 100).Draw(t, "failures") {
			if d := b.next(refused); d < firstPause || d > longest {
				t.Fatalf("a pause of %s", d)
			}
		}
		b.reset()
		if d := b.next(refused); d > firstPause*5/4 {
			t.Fatalf("after a reset the pause is %s", d)
		}
	})
}

// TestWindow compares with the obvious model.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, open, next := newWindow(), map[uint64]bool{}, uint64(1)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "send") {
				restored := rapid.Bool().Draw(t, "restored")
				next += uint64(rapid.IntRange(0, 3).Draw(t, "gap"))
				w.add(next, restored)
				open[next] = restored
				next++
			} else {
				seq := uint64(rapid.IntRange(1, int(next)).Draw(t, "done"))
				_, want := open[seq]
				if w.done(seq) != want {
					t.Fatalf("done(%d) is %v", seq, !want)
				}
				delete(open, seq)
			}
			oldest, restored := next, false
			for seq, r := range open {
				oldest, restored = min(oldest, seq), restored || r
			}
			if n, barred := w.len(); n != len(open) || barred != restored || w.oldest(next) != oldest {
				t.Fatalf("%d open, barred %v, oldest %d; want %d, %v, %d", n, barred, w.oldest(next), len(open), restored, oldest)
			}
		}
	})
}

func TestSavedMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s savedMark
		safe := func(seq, oldest uint64, want bool) {
			t.Helper()
			if s.safe(seq, oldest, 100, time.Now()) != want {
				t.Errorf("safe(%d) with %d the oldest is %v", seq, oldest, !want)
			}
		}
		safe(1000, 1000, true) // the first of all: everything before it was saved by an earlier process
		safe(1099, 1050, true)
		safe(1100, 1090, false) // 1000 may come back after a power cut
		time.Sleep(savedAfter)
		safe(1100, 1090, false) // 1000 … was the oldest two seconds ago
		time.Sleep(savedAfter)
		safe(1100, 1095, true) // by now all below 1090 is saved
		safe(1190, 1095, false)
		s.raise(1095)
		safe(1190, 1095, true)
	})
}

func TestLedgerIsBounded(t *testing.T) {
	g := newLedger()
	for i := range 1000 {
		g.add(edged.Loss{Reason: string(rune('a' + i%40)), Messages: 1, First: uint64(1000 - i), Last: uint64(1000 - i)})
	}
	sums := g.take()
	if len(sums) > maxReasons {
		t.Fatalf("%d sums", len(sums))
	}
	n, lowest := uint64(0), uint64(1000)
	for _, l := range sums {
		n, lowest = n+l.Messages, min(lowest, l.First)
	}
	if n != 1000 || lowest != 1 {
		t.Errorf("%d messages from %d on", n, lowest)
	}
	if g.take() != nil {
		t.Error("what was taken is still there")
	}
}

func TestLedgerGivesBack(t *testing.T) {
	g := newLedger()
	g.add(edged.Loss{Reason: "a", Messages: 1})
	g.add(edged.Loss{Reason: "b", Messages: 1})
	sent := 0
	err := g.drain(func(edged.Message) error {
		if sent++; sent == 2 {
			return errDown
		}
		return nil
	}, func(edged.Loss) edged.Message { return edged.Message{} })
	if left := g.take(); !errors.Is(err, errDown) || len(left) != 1 || left[0].Reason != "b" {
		t.Errorf("%v; left: %+v", err, left)
	}
}

func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.Receive = []Receive{{From: "sites/{id}/#", To: "{topic:2}", QoS: 1}}
		r := start(t, c, &fakeServer{})
		conn := r.server.last(t)
		acks := map[string]int{}
		come := func(name string, qos edged.QoS) {
			conn.dial.Handler.Message(edged.Message{Topic: name, QoS: qos, Payload: []byte("x")}, func() { acks[name]++ })
			synctest.Wait()
		}
		come("sites/gw-01/a", 1)
		come("sites/gw-02/a", 1) // not mapped: stays outside, and does not come again
		come("sites/gw-01", 1)   // nothing is left of the topic
		if len(r.bus.under("a")) != 1 || acks["sites/gw-01/a"] != 1 || acks["sites/gw-02/a"] != 1 || acks["sites/gw-01"] != 1 {
			t.Errorf("acks %v", acks)
		}
		setFails := func(err error) {
			r.bus.mu.Lock()
			r.bus.fails = err
			r.bus.mu.Unlock()
		}
		setFails(edged.ErrDiskFull)
		come("sites/gw-01/b", 1)
		come("sites/gw-01/c", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(acks) != 3 {
			t.Errorf("acknowledged although it was not kept: %v", acks)
		}
		setFails(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(r.bus.under("b")) != 1 || len(r.bus.under("c")) != 1 || acks["sites/gw-01/b"] != 1 || acks["sites/gw-01/c"] != 1 {
			t.Errorf("acks %v", acks)
		}
		if s := r.u.Stats(); s.Received != 3 || s.ReceiveDropped != 2 {
			t.Errorf("stats: %+v", s)
		}
		r.close()
	})
}

// TestReceiveFlood: what comes faster than it can be kept does not grow memory: the server has to send it again.
func TestReceiveFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.Receive = []Receive{{From: "#", To: "{topic}", QoS: 1}}
		r := start(t, c, &fakeServer{})
		r.bus.mu.Lock()
		r.bus.fails = edged.ErrDiskFull
		r.bus.mu.Unlock()
		conn := r.server.last(t)
		for range inboxMost + 10 {
			conn.dial.Handler.Message(edged.Message{Topic: "a"}, func() { t.Error("QoS 0 is not acknowledged") })
		}
		synctest.Wait()
		if r.u.Stats().ReceiveDropped == 0 || conn.Err() != nil {
			t.Errorf("QoS 0 must be dropped, and the connection last: %v", conn.Err())
		}
		for range inboxMost + 10 {
			conn.dial.Handler.Message(edged.Message{Topic: "a", QoS: 1}, func() { t.Error("acknowledged, but not kept") })
		}
		synctest.Wait()
		if conn.Err() == nil {
			t.Error("the connection must end, so that the server sends again")
		}
		r.close()
	})
}
