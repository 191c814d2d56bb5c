package faults

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// tally is what has arrived at one reader.
type tally struct {
	mu      sync.Mutex
	streams map[string]*arrivals // by the last two levels of the topic
	total   int                  // every arrival, also repeated ones
	strange []string             // what nobody has sent
	marks   map[string]bool      // what was sent to see that all before it has arrived
	notes   []string             // payloads on other topics
}

// arrivals are the numbers of one publisher.
type arrivals struct {
	qos      byte
	times    []uint16 // how often each number came
	distinct int
	last     int // the highest number so far
	disorder int // numbers that came for the first time after a higher one
}

func newTally() *tally {
	return &tally{streams: make(map[string]*arrivals), marks: make(map[string]bool)}
}

// add notes a message. Its topic ends in "q<QoS>/<name>", in "mark", or is that of a note.
func (y *tally) add(topic string, qos byte, payload []byte) {
	y.mu.Lock()
	defer y.mu.Unlock()
	levels := strings.Split(topic, "/")
	if levels[len(levels)-1] == "mark" {
		y.marks[string(payload)] = true
		return
	}
	if len(levels) < 3 || levels[len(levels)-3] != "f" {
		y.notes = append(y.notes, string(payload))
		return
	}
	y.total++
	number, _, _ := strings.Cut(string(payload), " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || levels[len(levels)-2] != fmt.Sprint("q", qos) {
		y.strange = append(y.strange, fmt.Sprintf("QoS %d %s: %.40q", qos, topic, payload))
		return
	}
	name := strings.Join(levels[len(levels)-2:], "/")
	a := y.streams[name]
	if a == nil {
		a = &arrivals{qos: qos, last: -1}
		y.streams[name] = a
	}
	for len(a.times) <= n {
		a.times = append(a.times, 0)
	}
	a.times[n]++
	if a.times[n] > 1 {
		return
	}
	a.distinct++
	if n < a.last {
		a.disorder++
	}
	a.last = max(a.last, n)
}

func (y *tally) marked(payload string) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.marks[payload]
}

func (y *tally) count() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.total
}

// noted returns the payloads on other topics than the publishers'.
func (y *tally) noted() []string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return append([]string(nil), y.notes...)
}

// verdict is what became of the numbers that one publisher was given an acknowledgement for.
type verdict struct {
	name                           string
	qos                            byte
	acked, lost, doubled, disorder int
	firstLost                      int
}

func (v verdict) String() string {
	return fmt.Sprintf("%s: %d acknowledged, %d lost (from %d), %d doubled, %d out of order", v.name, v.acked, v.lost, v.firstLost, v.doubled, v.disorder)
}

// judge compares what a publisher was promised with what has arrived.
func (y *tally) judge(name string, qos byte, acked []bool) verdict {
	y.mu.Lock()
	defer y.mu.Unlock()
	v := verdict{name: name, qos: qos, firstLost: -1}
	a := y.streams[name]
	if a == nil {
		a = &arrivals{}
	}
	v.disorder = a.disorder
	for _, times := range a.times {
		v.doubled += max(int(times)-1, 0)
	}
	for n, ok := range acked {
		if !ok {
			continue
		}
		v.acked++
		if n >= len(a.times) || a.times[n] == 0 {
			if v.lost == 0 {
				v.firstLost = n
			}
			v.lost++
		}
	}
	return v
}

// check fails the test unless every publisher's numbers arrived as its QoS promises.
func (y *tally) check(t *testing.T, who string, publishers []*publisher) {
	t.Helper()
	for _, p := range publishers {
		v := y.judge(p.name, p.qos, p.promised())
		switch {
		case v.lost > 0 || v.disorder > 0 || v.qos == 2 && v.doubled > 0:
			t.Errorf("%s: %v", who, v)
		default:
			t.Logf("%s: %v", who, v)
		}
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, s := range y.strange {
		t.Errorf("%s got what nobody sent: %s", who, s)
	}
}

// TestTallyFindsFaults: the judge must be able to condemn.
func TestTallyFindsFaults(t *testing.T) {
	for _, c := range []struct {
		arrived string
		want    verdict
	}{
		{"0 1 2 3", verdict{acked: 4, firstLost: -1}},
		{"0 1 3", verdict{acked: 4, lost: 1, firstLost: 2}},
		{"", verdict{acked: 4, lost: 4}},
		{"0 1 0 1 2 3", verdict{acked: 4, doubled: 2, firstLost: -1}},
		{"0 2 1 3 2", verdict{acked: 4, doubled: 1, disorder: 1, firstLost: -1}},
		{"0 1 2 3 4 5", verdict{acked: 4, firstLost: -1}}, // sent, and not acknowledged yet
	} {
		y := newTally()
		for _, n := range strings.Fields(c.arrived) {
			y.add("up/f/q2/a", 2, []byte(n+" padding"))
		}
		c.want.name, c.want.qos = "q2/a", 2
		if got := y.judge("q2/a", 2, []bool{true, true, true, true}); got != c.want {
			t.Errorf("%q: got %v, want %v", c.arrived, got, c.want)
		}
	}
	y := newTally()
	y.add("f/q1/a", 2, []byte("1"))
	y.add("f/q1/a", 1, []byte("x"))
	if len(y.strange) != 2 {
		t.Errorf("strange messages: %q", y.strange)
	}
}
