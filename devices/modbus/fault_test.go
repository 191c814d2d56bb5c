package modbus

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

func newTestAdapter(t testing.TB, options string) *adapter {
	t.Helper()
	a, err := Driver{}.New(devices.Env{Device: "tested", Log: slog.New(slog.DiscardHandler)}, devicetest.YAML(options))
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter)
}

// fault is a way in which a reply can go wrong.
type fault struct {
	name string
	// spoil returns what goes out instead of reply, and whether the connection is closed then.
	spoil func(f *faulty, reply []byte) ([]byte, bool)
	// right: the right value still arrives.
	right bool
}

// faulty remembers the last reply, for faults that send it late.
type faulty struct{ last []byte }

func pdu(reply []byte) []byte { return reply[7:] }

// again is reply with another PDU.
func again(reply, pdu []byte) []byte { return frame(binary.BigEndian.Uint16(reply), reply[6], pdu) }

func changed(reply []byte, at int, b byte) []byte {
	out := append([]byte(nil), reply...)
	out[at] ^= b
	return out
}

// liar is a reply that would be a wrong value if it were taken: all bits are set.
func liar(reply []byte) []byte {
	out := append([]byte(nil), reply...)
	for i := 9; i < len(out); i++ {
		out[i] = 0xFF
	}
	return out
}

var faults = []fault{
	{"none", func(_ *faulty, r []byte) ([]byte, bool) { return r, false }, true},
	{"lost", func(_ *faulty, r []byte) ([]byte, bool) { return nil, false }, false},
	{"last one first", func(f *faulty, r []byte) ([]byte, bool) { return append(append([]byte(nil), f.last...), r...), false }, true},
	{"last one instead", func(f *faulty, r []byte) ([]byte, bool) { return f.last, false }, false},
	{"twice", func(_ *faulty, r []byte) ([]byte, bool) { return append(r, r...), false }, true},
	{"foreign unit", func(_ *faulty, r []byte) ([]byte, bool) { return changed(liar(r), 6, 0x7F), false }, false},
	{"foreign unit first", func(_ *faulty, r []byte) ([]byte, bool) { return append(changed(liar(r), 6, 0x7F), r...), false }, true},
	{"wrong transaction", func(_ *faulty, r []byte) ([]byte, bool) { return changed(liar(r), 1, 0x55), false }, false},
	{"wrong protocol", func(_ *faulty, r []byte) ([]byte, bool) { return changed(liar(r), 2, 1), false }, false},
	{"wrong function", func(_ *faulty, r []byte) ([]byte, bool) { return changed(liar(r), 7, 7), false }, false},
	{"wrong byte count", func(_ *faulty, r []byte) ([]byte, bool) { return changed(liar(r), 8, 2), false }, false},
	{"short", func(_ *faulty, r []byte) ([]byte, bool) {
		return again(r, append([]byte{r[7], r[8] - 2}, pdu(liar(r))[4:]...)), false
	}, false},
	{"long", func(_ *faulty, r []byte) ([]byte, bool) {
		return again(r, append([]byte{r[7], r[8] + 2, 0, 0}, pdu(r)[2:]...)), false
	}, false},
	{"halved", func(_ *faulty, r []byte) ([]byte, bool) { return r[:len(r)/2], false }, false},
	{"halved and closed", func(_ *faulty, r []byte) ([]byte, bool) { return r[:len(r)-1], true }, false},
	{"closed", func(_ *faulty, r []byte) ([]byte, bool) { return nil, true }, false},
	{"closed afterwards", func(_ *faulty, r []byte) ([]byte, bool) { return r, true }, true},
	{"exception", func(_ *faulty, r []byte) ([]byte, bool) { return again(r, []byte{r[7] | 0x80, 4}), false }, false},
	{"busy", func(_ *faulty, r []byte) ([]byte, bool) { return again(r, []byte{r[7] | 0x80, 6}), false }, false},
	{"exception of nothing", func(_ *faulty, r []byte) ([]byte, bool) { return again(r, []byte{r[7] | 0x80}), false }, false},
	{"no PDU", func(_ *faulty, r []byte) ([]byte, bool) { return again(r, nil), false }, false},
	{"noise", func(_ *faulty, r []byte) ([]byte, bool) { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), false }, false},
	{"endless length", func(_ *faulty, r []byte) ([]byte, bool) { return []byte{r[0], r[1], 0, 0, 0xFF, 0xFF, 1, 3, 4}, false }, false},
}

// Each fault alone: the value is right, or there is none.
func TestEachFault(t *testing.T) {
	s := newServer(t)
	s.setHolding(0, 0x1234, 0x5678)
	for _, c := range faults {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			a := newTestAdapter(t, entry(s, "retries: 0", "busy_retries: 1", "timeout: 200ms", points("name: p, register: holding, address: 0, type: uint32")))
			defer func() { _ = a.setRunning(context.Background(), false) }()
			a.running = true
			a.plan()
			read := func() devices.Event {
				events, dead := a.poll(t.Context(), 0)
				if dead != nil {
					t.Fatal(dead)
				}
				return events[0]
			}
			s.setRespond(nil)
			read()
			// The reply to another request, of the same length, as it would come late.
			f := &faulty{last: frame(1, 1, []byte{3, 4, 0xFF, 0xFF, 0xFF, 0xFF})}
			s.setRespond(func(_, reply []byte) ([]byte, bool) { return c.spoil(f, reply) })
			e := read()
			switch {
			case c.right && (e.Value != uint64(0x12345678) || e.Quality != devices.Good):
				t.Errorf("got %v %s %s", e.Value, e.Quality, e.Reason)
			case !c.right && (e.Quality != devices.Bad || e.Value != nil || e.Reason == ""):
				t.Errorf("got %v %s %s; want bad", e.Value, e.Quality, e.Reason)
			}
			s.setRespond(nil)
			if e := read(); e.Value != uint64(0x12345678) {
				t.Errorf("after the fault: %v %s %s", e.Value, e.Quality, e.Reason)
			}
		})
	}
}

// Thousands of requests, most of them with a fault: never a wrong value as good. The server's register changes with each
// request, so that a value which belongs to another request is seen.
func TestThousandsOfFaults(t *testing.T) {
	const transactions = 3000
	s := newServer(t)
	a := newTestAdapter(t, entry(s, "every: 1ms", "retries: 1", "busy_retries: 0", "timeout: 10ms", "gap: 0",
		points("name: a, register: holding, address: 0, type: uint32", "name: b, register: holding, address: 10, type: uint32", "name: c, register: input, address: 0, type: uint32")))
	var mu sync.Mutex
	valid := map[string]map[uint64]bool{"a": {}, "b": {}, "c": {}}
	count, spoiled, good, bad := uint64(0), 0, 0, 0
	f, random := &faulty{}, rand.New(rand.NewPCG(1, 2))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.setRespond(func(request, reply []byte) ([]byte, bool) {
		mu.Lock()
		defer mu.Unlock()
		// Every reply is a number of its own, and a point has those that were made for it.
		name := map[[3]byte]string{{3, 0, 0}: "a", {3, 0, 10}: "b", {4, 0, 0}: "c"}[[3]byte(request[7:10])]
		count++
		valid[name][count] = true
		binary.BigEndian.PutUint32(reply[9:], uint32(count))
		right := append([]byte(nil), reply...)
		c := faults[0]
		if random.IntN(4) > 0 {
			c = faults[random.IntN(len(faults))]
			spoiled++
		}
		out, hangUp := c.spoil(f, reply)
		f.last = right
		if count == transactions {
			cancel()
		}
		return out, hangUp
	})
	seen := map[uint64]bool{}
	a.plan()
	a.running = true
	defer func() { _ = a.setRunning(context.Background(), false) }()
	for ctx.Err() == nil { // not Run, which would leave a dead device alone for a while
		events, _ := a.poll(ctx, 0)
		mu.Lock()
		for _, e := range events {
			v, isNumber := e.Value.(uint64)
			switch {
			case e.Point == "":
			case e.Quality == devices.Good && isNumber && valid[e.Point][v] && !seen[v]:
				seen[v] = true
				good++
			case e.Quality == devices.Bad && e.Value == nil && e.Reason != "":
				bad++
			default:
				t.Errorf("%+v: wrong, or given twice", e)
			}
		}
		mu.Unlock()
	}
	if count < transactions {
		t.Fatalf("only %d transactions in a minute", count)
	}
	if good < transactions/5 || bad < transactions/20 {
		t.Errorf("%d good and %d bad readings in %d transactions; the test tests nothing", good, bad, count)
	}
	t.Logf("%d transactions, %d of them with a fault: %d good readings, %d bad; %v", count, spoiled, good, bad, a.Counters())
}
