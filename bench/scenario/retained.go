package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
)

// retained measures what retained messages cost in memory, and how fast a new subscriber gets them all.
func retained() Scenario {
	return Scenario{
		Name: "retained",
		About: func(s Scale) string {
			return fmt.Sprintf("%d retained messages of %d bytes, published at QoS 1, delivered to one new subscriber at QoS 0", s.Retained, payload)
		},
		Need: func(s Scale) peer.Need { return peer.Need{Waiting: s.Retained} },
		Run: func(ctx context.Context, t Target, s Scale) ([]Metric, error) {
			before, err := t.Memory()
			if err != nil {
				return nil, err
			}
			stored, err := storeRetained(ctx, t, s)
			if err != nil {
				return nil, fmt.Errorf("publishing: %w", err)
			}
			wait := load.New(ctx, t.Addr())
			if err := wait.Close(wait.Sleep(s.Settle)); err != nil {
				return nil, err
			}
			after, err := t.Memory()
			if err != nil {
				return nil, err
			}
			delivered, err := fetchRetained(ctx, t, s)
			if err != nil {
				return nil, fmt.Errorf("subscribing: %w", err)
			}
			return append([]Metric{{Name: "memory per message", Unit: "KB", Value: float64(after-before) / 1e3 / float64(s.Retained)}},
				append(stored, delivered...)...), nil
		},
	}
}

// kept is how many publishers publish what is kept, retained or offline.
const kept = 10

func storeRetained(ctx context.Context, t Target, s Scale) ([]Metric, error) {
	each := uint64(s.Retained / kept)
	l := load.New(ctx, t.Addr())
	pubs, err := connectKept(l, true, func(i int) func(uint64) string {
		return func(seq uint64) string { return fmt.Sprintf("state/line%d/sensor%d", i, seq) }
	})
	var took time.Duration
	if err == nil {
		begin := time.Now()
		err = l.SendEach(pubs, each)
		took = time.Since(begin)
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return []Metric{{Name: "publish rate", Unit: "msg/s", Value: float64(each*kept) / took.Seconds(), More: true}}, nil
}

func fetchRetained(ctx context.Context, t Target, s Scale) ([]Metric, error) {
	n := uint64(s.Retained / kept * kept)
	l := load.New(ctx, t.Addr())
	c, err := l.Connect("late", false)
	if err != nil {
		return nil, l.Close(err)
	}
	begin := time.Now()
	sink, err := l.Sink(c, load.Reception{Flows: kept, Unordered: true}, "state/#")
	if err == nil {
		err = l.Await("retained messages arrived", n, sink.Count)
	}
	took := time.Since(begin)
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return []Metric{{Name: "delivery rate", Unit: "msg/s", Value: float64(n) / took.Seconds(), More: true}}, nil
}

// connectKept connects publishers at QoS 1 whose messages are kept by the broker, so that deliveries are not waited for.
func connectKept(l *load.Load, retain bool, topic func(i int) func(uint64) string) (pubs []*load.Publisher, err error) {
	for i := range kept {
		pub, err := l.Publisher(fmt.Sprintf("pub%d", i), load.Publication{
			Number: i, Topic: topic(i), QoS: 1, Retain: retain, Size: payload, Window: window,
		})
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, pub)
	}
	return pubs, nil
}
