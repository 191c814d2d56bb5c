package modbus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/devices"
)

// requestsOf words requests: "3:0+4".
func requestsOf(pdus [][]byte) (all []string) {
	for _, p := range pdus {
		all = append(all, fmt.Sprintf("%d:%d+%d", p[0], int(p[1])<<8|int(p[2]), int(p[3])<<8|int(p[4])))
	}
	return all
}

// polling is an adapter that is polled by hand.
func polling(t *testing.T, options string) (a *adapter, round func() map[string]devices.Event) {
	t.Helper()
	a = newTestAdapter(t, options)
	a.plan()
	a.running = true
	t.Cleanup(func() { _ = a.setRunning(context.Background(), false) })
	return a, func() map[string]devices.Event {
		t.Helper()
		all := map[string]devices.Event{}
		for g := range a.groups {
			events, dead := a.poll(t.Context(), g)
			if dead != nil {
				t.Fatal(dead)
			}
			for _, e := range events {
				all[e.Point] = e
			}
		}
		return all
	}
}

func TestReadsAllKindsMerged(t *testing.T) {
	s := newServer(t)
	s.setHolding(0, 0x4366, 0x8000, 0, 7)
	s.registers[0][5] = 4711
	s.bits[0][3], s.bits[0][20], s.bits[1][7] = true, true, true
	_, round := polling(t, entry(s, points(
		"name: f, register: holding, address: 0, type: float32", "name: u, register: holding, address: 3", "name: i, register: input, address: 5",
		"name: c3, register: coil, address: 3", "name: c4, register: coil, address: 4", "name: c20, register: coil, address: 20", "name: d, register: discrete, address: 7",
	)))
	events := round()
	for name, want := range map[string]any{"f": float32(230.5), "u": uint64(7), "i": uint64(4711), "c3": true, "c4": false, "c20": true, "d": true} {
		if e := events[name]; e.Value != want || e.Quality != devices.Good || e.Time.IsZero() {
			t.Errorf("%s is %+v; want %v", name, e, want)
		}
	}
	want := []string{"1:3+18", "2:7+1", "4:5+1", "3:0+4"}
	if got := requestsOf(s.requests()); !slices.Equal(got, want) {
		t.Errorf("requests %v; want %v", got, want)
	}
}

func TestHolesAreFoundOnceAndRemembered(t *testing.T) {
	s := newServer(t)
	var ps []string
	for i := range 16 {
		s.setHolding(2*i, uint16(i))
		ps = append(ps, fmt.Sprintf("name: p%d, register: holding, address: %d", i, 2*i))
	}
	s.missing[10], s.missing[13] = true, true // p5, and a gap that nobody wants
	a, round := polling(t, entry(s, points(ps...)))
	check := func() {
		t.Helper()
		events := round()
		for i := range 16 {
			e := events[fmt.Sprint("p", i)]
			if i == 5 {
				if e.Quality != devices.Bad || !strings.Contains(e.Reason, "illegal data address") {
					t.Errorf("the hole is %+v", e)
				}
			} else if e.Value != uint64(i) || e.Quality != devices.Good {
				t.Errorf("p%d is %+v", i, e)
			}
		}
	}
	check()
	if n := len(s.requests()); n > 12 {
		t.Errorf("%d requests to find two holes", n)
	}
	check()
	after := s.requests()
	for _, r := range requestsOf(after) {
		if r == "3:10+1" {
			t.Error("the hole was asked for again")
		}
	}
	if len(after) > 5 {
		t.Errorf("%d requests for 15 points: %v", len(after), requestsOf(after))
	}
	// In ten minutes it may be there.
	delete(s.missing, 10)
	for _, b := range a.groups[0] {
		if !b.hole.IsZero() {
			b.hole = time.Now()
		}
	}
	if e := round()["p5"]; e.Value != uint64(5) {
		t.Errorf("the hole was filled, and is %+v", e)
	}
}

// A device that knows none of the addresses is there all the same.
func TestOnlyExceptionsIsOnline(t *testing.T) {
	s := newServer(t)
	s.missing[0] = true
	_, round := polling(t, entry(s, points("name: p, register: holding, address: 0")))
	if e := round()[""]; e.State != devices.StateOnline {
		t.Errorf("%+v", e)
	}
}

func TestBusyIsAskedAgain(t *testing.T) {
	s := newServer(t)
	s.setHolding(0, 42)
	busy := 2
	s.setRespond(func(_, reply []byte) ([]byte, bool) {
		if busy--; busy >= 0 {
			return again(reply, []byte{reply[7] | 0x80, 6}), false
		}
		return reply, false
	})
	a, round := polling(t, entry(s, points("name: p, register: holding, address: 0")))
	if e := round()["p"]; e.Value != uint64(42) || a.Counters()["busy"] != 2 {
		t.Errorf("%+v, %v", e, a.Counters())
	}
}

// One address without a reply makes its point bad, and not the device offline: others answer.
func TestOneSilentAddress(t *testing.T) {
	s := newServer(t)
	s.setRespond(func(request, reply []byte) ([]byte, bool) {
		if request[9] == 100 {
			return nil, false
		}
		return reply, false
	})
	_, round := polling(t, entry(s, "timeout: 100ms", points("name: a, register: holding, address: 0", "name: b, register: holding, address: 100", "name: c, register: holding, address: 200")))
	for range 3 {
		events := round()
		if events["a"].Quality != devices.Good || events["c"].Quality != devices.Good {
			t.Errorf("%+v", events)
		}
		if b := events["b"]; b.Quality != devices.Bad || !strings.Contains(b.Reason, "no reply within 100ms") {
			t.Errorf("%+v", b)
		}
	}
}

// Of a gateway that says that the device behind it is silent, the device is offline, not its points bad one by one.
func TestSilentBehindAGateway(t *testing.T) {
	s := newServer(t)
	s.setRespond(func(_, reply []byte) ([]byte, bool) { return again(reply, []byte{reply[7] | 0x80, 11}), false })
	a := newTestAdapter(t, entry(s, points("name: a, register: holding, address: 0", "name: b, register: holding, address: 100")))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	reason := ""
	if err := a.Run(ctx, func(events ...devices.Event) error {
		if last := events[len(events)-1]; last.State == devices.StateOffline {
			reason = last.Reason
			cancel()
		}
		return nil
	}); err != nil || !strings.Contains(reason, "gateway target device failed to respond") {
		t.Errorf("%v, offline because of %q", err, reason)
	}
}

// A dead device is asked less and less, and is back at once with the first reply.
func TestDeadDeviceCostsLittle(t *testing.T) {
	s := newServer(t)
	s.setRespond(func(_, _ []byte) ([]byte, bool) { return nil, false })
	var ps []string
	for i := range 20 {
		ps = append(ps, fmt.Sprintf("name: p%d, register: holding, address: %d", i, 100*i))
	}
	a := newTestAdapter(t, entry(s, "every: 1ms", "timeout: 50ms", points(ps...)))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	offline := 0
	var took time.Duration
	began := time.Now()
	if err := a.Run(ctx, func(events ...devices.Event) error {
		last := events[len(events)-1]
		switch {
		case last.State == devices.StateOffline:
			if offline++; offline == 3 {
				took = time.Since(began)
				s.setRespond(nil)
			}
		case len(events) == 21 && offline >= 3: // all points, and Online
			cancel()
		}
		return nil
	}); err != nil || offline != 3 {
		t.Fatalf("%v, %d times offline", err, offline)
	}
	if took < minPause || ctx.Err() != context.Canceled {
		t.Errorf("three probes took %s, %v", took, ctx.Err())
	}
	// 3 requests to find it dead, then 1 or 2 a probe, and 20 when it is back.
	if n := len(s.requests()); n > 35 {
		t.Errorf("%d requests", n)
	}
}

func TestCloseAfterPollAndPauses(t *testing.T) {
	s := newServer(t)
	a, round := polling(t, entry(s, "close_after_poll: true", "pause_after_connect: 20ms", "pause_between_requests: 30ms",
		points("name: a, register: holding, address: 0", "name: b, register: input, address: 0")))
	began := time.Now()
	round()
	round()
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("two rounds took %s; want 2 × (20 ms + 30 ms)", took)
	}
	if c := a.Counters(); c["connects"] != 2 || a.line.transport.conn != nil {
		t.Errorf("%v", c)
	}
}

func TestGroupsHaveTheirIntervals(t *testing.T) {
	s := newServer(t)
	a := newTestAdapter(t, entry(s, "every: 10ms", points("name: fast, register: holding, address: 0", "name: slow, register: holding, address: 1, every: 100ms")))
	ctx, cancel := context.WithCancel(t.Context())
	fast, slow := 0, 0
	if err := a.Run(ctx, func(events ...devices.Event) error {
		for _, e := range events {
			switch e.Point {
			case "fast":
				fast++
			case "slow":
				if slow++; slow == 4 {
					cancel()
				}
			}
		}
		return errors.New("refused") // which changes nothing
	}); err != nil || fast < 8 || fast > 35 {
		t.Errorf("%v; %d of the fast group beside %d of the slow one", err, fast, slow)
	}
}
