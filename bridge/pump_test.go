package bridge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edged/edged"
)

func publishes(log []string) (out []string) {
	for _, s := range log {
		if strings.HasPrefix(s, "PUB") || strings.HasPrefix(s, "DUP") {
			out = append(out, s)
		}
	}
	return out
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestWindowAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.Inflight = 2
		r := start(t, c, &fakeServer{})
		conn := r.server.last(t)
		r.q.add(edged.Message{Topic: "a", QoS: 1}, edged.Message{Topic: "b", QoS: 2}, edged.Message{Topic: "c", QoS: 1}, edged.Message{Topic: "d", QoS: 1})
		synctest.Wait()
		expect(t, publishes(conn.log()), "PUBLISH 2 up/a q1", "PUBLISH 3 up/b q2")
		conn.dial.Handler.Completed(2)
		conn.dial.Handler.Received(3)
		synctest.Wait()
		expect(t, publishes(conn.log())[2:], "PUBREL 3", "PUBLISH 4 up/c q1")
		conn.dial.Handler.Completed(3)
		conn.dial.Handler.Completed(4)
		synctest.Wait()
		expect(t, publishes(conn.log())[4:], "PUBLISH 5 up/d q1")
		if s := r.u.Stats(); s.Forwarded != 3 || s.Backlog != 1 {
			t.Errorf("stats: %+v", s)
		}
		r.close()
	})
}

func TestReleaseOnlyAfterTheReceiptIsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{}, func(r *rig) { r.q.hold = true })
		conn := r.server.last(t)
		r.q.add(edged.Message{Topic: "a", QoS: 2})
		synctest.Wait()
		conn.dial.Handler.Received(2)
		synctest.Wait()
		expect(t, publishes(conn.log()), "PUBLISH 2 up/a q2")
		r.q.receipts[0]()
		synctest.Wait()
		expect(t, publishes(conn.log()), "PUBLISH 2 up/a q2", "PUBREL 2")
		r.close()
	})
}

func TestNoReleaseWhenTheDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{}, func(r *rig) { r.q.fails = edged.ErrStoreFailed })
		conn := r.server.last(t)
		r.q.add(edged.Message{Topic: "a", QoS: 2})
		synctest.Wait()
		conn.dial.Handler.Received(2)
		synctest.Wait()
		expect(t, publishes(conn.log()), "PUBLISH 2 up/a q2")
		if s := r.u.Stats(); conn.Err() == nil || s.State != Waiting || !strings.Contains(s.Error, "store failed") {
			t.Errorf("the connection must end, and say why: %+v", s)
		}
		r.close()
	})
}

func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{})
		conn := r.server.last(t)
		r.q.add(edged.Message{Topic: "a", QoS: 2}, edged.Message{Topic: "b", QoS: 2}, edged.Message{Topic: "c", QoS: 1})
		synctest.Wait()
		conn.dial.Handler.Received(2)
		conn.end(errDown)
		synctest.Wait()
		r.q.add(edged.Message{Topic: "new", QoS: 1})
		time.Sleep(3 * time.Second)
		synctest.Wait()
		next := r.server.last(t)
		expect(t, publishes(next.log()), "PUBREL 2", "DUP 3 up/b q2", "DUP 4 up/c q1") // the new one waits for the PUBCOMP
		next.dial.Handler.Completed(2)
		synctest.Wait()
		expect(t, publishes(next.log())[3:], "PUBLISH 5 up/new q1")
		r.close()
	})
}

func TestSessionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{answer: func(n int, d Dial) (*fakeConn, error) {
			c := newConn()
			c.present = n != 2
			return c, nil
		}})
		conn := r.server.last(t)
		r.q.add(edged.Message{Topic: "a", QoS: 2}, edged.Message{Topic: "b", QoS: 2})
		synctest.Wait()
		conn.dial.Handler.Received(2)
		conn.end(errDown)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		second := r.server.last(t)
		expect(t, publishes(second.log()), "PUBLISH 2 up/a q2", "PUBLISH 3 up/b q2")
		if s := r.u.Stats(); s.Uncertain != 2 {
			t.Errorf("uncertain: %d", s.Uncertain)
		}
		// The third connection has the second's session: message 2 was not taken over in it, whatever the queue says.
		second.end(errDown)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		third := r.server.last(t)
		expect(t, publishes(third.log()), "DUP 2 up/a q2", "DUP 3 up/b q2")
		third.dial.Handler.Received(2)
		synctest.Wait()
		expect(t, publishes(third.log())[2:], "PUBREL 2")
		r.close()
	})
}

func TestOtherServerBeginsClean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.URLs = append(c.URLs, "mqtt://b.example.com")
		r := start(t, c, &fakeServer{answer: func(n int, d Dial) (*fakeConn, error) {
			if n == 2 {
				return nil, errDown
			}
			return newConn(), nil
		}})
		r.q.add(edged.Message{Topic: "a", QoS: 2})
		synctest.Wait()
		r.server.last(t).end(errDown) // at once: short, so the next server is tried
		time.Sleep(5 * time.Second)
		synctest.Wait()
		var got []string
		for _, a := range r.server.tries() {
			got = append(got, fmt.Sprintf("%s %v", a.host, a.d.Clean))
		}
		expect(t, got, "a.example.com:1883 false", "b.example.com:1883 true", "a.example.com:1883 false")
		r.close()
	})
}

func TestWhatIsNotSentIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.PacketBytes = 1024
		c.Forward = []Forward{{From: "s/#", To: "{topic:1}", QoS: 1, MaxAge: time.Hour}, {From: "live", To: "live", QoS: 0}}
		r := start(t, c, &fakeServer{}, func(r *rig) { time.Sleep(30 * 365 * 24 * time.Hour) }) // the bubble begins in the year 2000
		conn := r.server.last(t)
		r.q.add(
			edged.Message{Topic: "s/old", QoS: 1, Time: time.Now().Add(-2 * time.Hour)},
			edged.Message{Topic: "s/1970", QoS: 1, Time: time.Unix(100, 0)}, // received before the clock was set
			edged.Message{Topic: "other", QoS: 1},
			edged.Message{Topic: "s", QoS: 1},
			edged.Message{Topic: "s/long", QoS: 1, Payload: make([]byte, 1020)},
			edged.Message{Topic: "s/expired", QoS: 1, Time: time.Now().Add(-2 * time.Minute), Props: &edged.Properties{HasExpiry: true, Expiry: 60}},
			edged.Message{Topic: "live", QoS: 1},
			edged.Message{Topic: "s/good", QoS: 2},
		)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		expect(t, publishes(conn.log()), "PUBLISH 3 1970 q1", "PUBLISH 9 good q1")
		if s := r.u.Stats(); s.Expired != 2 || s.SetAside != 3 || s.Backlog != 2 {
			t.Errorf("stats: %+v", s)
		}
		told := strings.Join(r.bus.under("edged/gw-01/uplinks/cloud/lost"), "\n")
		for _, reason := range []string{"expired", "no-rule", "no-topic", "too-long"} {
			if !strings.Contains(told, `"`+reason+`"`) {
				t.Errorf("%s is not reported: %s", reason, told)
			}
		}
		r.close()
	})
}

func TestMaxRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.Drain.MaxRate = 10
		r := start(t, c, &fakeServer{})
		for range 100 {
			r.q.add(edged.Message{Topic: "a", QoS: 1})
		}
		time.Sleep(4999 * time.Millisecond)
		synctest.Wait()
		if n := len(publishes(r.server.last(t).log())); n < 49 || n > 51 {
			t.Errorf("%d messages in five seconds at ten a second", n)
		}
		r.close()
	})
}

func TestSpanHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{answer: func(int, Dial) (*fakeConn, error) {
			c := newConn()
			c.span = 10
			return c, nil
		}})
		conn := r.server.last(t)
		for range 30 {
			r.q.add(edged.Message{Topic: "a", QoS: 1})
		}
		synctest.Wait()
		for seq := uint64(3); seq <= 11; seq++ { // all but the first
			conn.dial.Handler.Completed(seq)
		}
		synctest.Wait()
		if n := len(publishes(conn.log())); n != 10 {
			t.Errorf("%d messages were sent; the first one's identifier allows 10", n)
		}
		conn.dial.Handler.Completed(2)
		synctest.Wait()
		if n := len(publishes(conn.log())); n != 20 {
			t.Errorf("%d messages were sent, want 20", n)
		}
		r.close()
	})
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.Forward = []Forward{{From: "a/b", To: "first", QoS: 1}, {From: "a/+", To: "second", QoS: 0}}
		r := start(t, c, &fakeServer{})
		conn := r.server.last(t)
		tell := func(m edged.Message) {
			for _, s := range r.bus.handlers {
				if !s.s.NoLocal || !s.s.RetainAsPublished {
					t.Errorf("subscription %+v", s.s)
				}
				s.h(m) // as overlapping filters: both get it
			}
		}
		tell(edged.Message{Topic: "a/b", QoS: 0})
		tell(edged.Message{Topic: "a/b", QoS: 1}) // comes through the queue
		tell(edged.Message{Topic: "a/c", QoS: 1})
		synctest.Wait()
		expect(t, publishes(conn.log()), "PUBLISH 0 first q0", "PUBLISH 0 second q0")
		conn.mu.Lock() // the line is slow
		for range 1000 {
			tell(edged.Message{Topic: "a/c"})
		}
		conn.mu.Unlock()
		synctest.Wait()
		s := r.u.Stats()
		if sent := len(publishes(conn.log())) - 2; s.LiveDropped == 0 || sent+int(s.LiveDropped) != 1000 || sent > 2*liveMost+2 {
			t.Errorf("%d sent, %d dropped", sent, s.LiveDropped)
		}
		r.close()
	})
}

// TestExpiredUnderWay: a QoS 2 message that the server may know is finished, or else its identifier stays taken.
func TestExpiredUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig()
		c.Forward[0].MaxAge = time.Minute
		r := start(t, c, &fakeServer{}, func(*rig) { time.Sleep(30 * 365 * 24 * time.Hour) })
		r.q.add(edged.Message{Topic: "a", QoS: 2}, edged.Message{Topic: "b", QoS: 1})
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		r.server.last(t).end(errDown)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		conn := r.server.last(t)
		expect(t, publishes(conn.log()), "PUBREL 2")
		conn.dial.Handler.Completed(2)
		if s := r.u.Stats(); s.Backlog != 0 || s.Expired != 2 {
			t.Errorf("stats: %+v", s)
		}
		r.close()
	})
}

// TestIdentifierOfWhatMayComeBack: acknowledgements of the last second may be forgotten in a power cut, so QoS 2 waits
// until what has the same identifier is surely saved.
func TestIdentifierOfWhatMayComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, testConfig(), &fakeServer{answer: func(int, Dial) (*fakeConn, error) {
			c := newConn()
			c.span = 10
			return c, nil
		}})
		conn := r.server.last(t)
		for seq := uint64(2); seq <= 13; seq++ {
			r.q.add(edged.Message{Topic: "a", QoS: 1})
			synctest.Wait()
			conn.dial.Handler.Completed(seq)
		}
		r.q.add(edged.Message{Topic: "b", QoS: 2})
		synctest.Wait()
		if n := len(publishes(conn.log())); n != 12 {
			t.Errorf("%d were sent; the QoS 2 message must wait", n)
		}
		time.Sleep(2 * savedAfter)
		synctest.Wait()
		if log := publishes(conn.log()); log[len(log)-1] != "PUBLISH 14 up/b q2" {
			t.Errorf("it waits for ever: %q", log)
		}
		r.close()
	})
}
