package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/edged/edged/bench/peer"
)

// Scenario is one thing to measure.
type Scenario struct {
	// Name selects it on the command line.
	Name string
	// About is a phrase for the heading of its table, at a scale.
	About func(Scale) string
	// Need is what the broker must be prepared for at a scale.
	Need func(Scale) peer.Need
	// Run measures. ctx bounds it in time.
	Run func(ctx context.Context, t Target, s Scale) ([]Metric, error)
}

// All lists the scenarios in the order in which they run.
func All() []Scenario {
	return []Scenario{pairs(0), pairs(1), pairs(2), fanOut(), fanIn(), idle(), retained(), subscriptions(), offline()}
}

// Target is the broker under test, as a scenario sees it.
type Target interface {
	// Addr is host:port.
	Addr() string
	// CPU is the processor time used since the broker's start.
	CPU() (time.Duration, error)
	// Memory is what it occupies, in bytes.
	Memory() (int64, error)
}

// Metric is one measured value.
type Metric struct {
	Name, Unit string
	Value      float64
	// More says that a larger value is the better one.
	More bool
}

// Scale says how long and how many.
type Scale struct {
	// Warm is discarded before each measurement of Measure; Settle precedes readings of memory.
	Warm, Measure, Settle time.Duration
	// Pairs of publisher and subscriber; Fan many on one side; Idle connections.
	Pairs, Fan, Idle int
	// Rate is messages a second where latency is measured.
	Rate int
	// Retained and Offline are how many messages are kept.
	Retained, Offline int
	// Subscriptions are the sizes of the tree.
	Subscriptions []int
}

// Full is the scale of the published figures.
func Full() Scale {
	return Scale{
		Warm: time.Second, Measure: 5 * time.Second, Settle: 10 * time.Second,
		Pairs: 10, Fan: 1000, Idle: 10_000, Rate: 2000, Retained: 100_000, Offline: 50_000,
		Subscriptions: []int{1000, 10_000, 100_000},
	}
}

// Quick is for trying out; its figures are noisy.
func Quick() Scale {
	return Scale{
		Warm: 300 * time.Millisecond, Measure: time.Second, Settle: 2 * time.Second,
		Pairs: 10, Fan: 1000, Idle: 2000, Rate: 2000, Retained: 20_000, Offline: 10_000,
		Subscriptions: []int{1000, 10_000, 100_000},
	}
}

// payload is the size of every message's payload, in bytes.
const payload = 64

// window is how many messages of one publisher are on their way at once.
const window = 100

// usage is the difference between two readings of a broker.
type usage struct {
	t         Target
	delivered func() uint64
	marks     []reading
	err       error
}

type reading struct {
	at        time.Time
	cpu       time.Duration
	delivered uint64
}

// mark takes a reading.
func (u *usage) mark() {
	cpu, err := u.t.CPU()
	if err != nil {
		u.err = err
	}
	u.marks = append(u.marks, reading{time.Now(), cpu, u.delivered()})
}

// between returns throughput and CPU per message between the first two marks. prefix begins the names.
func (u *usage) between(prefix string) ([]Metric, error) {
	if u.err != nil {
		return nil, u.err
	}
	a, b := u.marks[0], u.marks[1]
	n := float64(b.delivered - a.delivered)
	if n == 0 {
		return nil, fmt.Errorf("%snothing was delivered in %v", prefix, b.at.Sub(a.at))
	}
	return []Metric{
		{Name: prefix + "throughput", Unit: "msg/s", Value: n / b.at.Sub(a.at).Seconds(), More: true},
		{Name: prefix + "CPU per message", Unit: "µs", Value: float64((b.cpu - a.cpu).Nanoseconds()) / 1e3 / n},
	}, nil
}
