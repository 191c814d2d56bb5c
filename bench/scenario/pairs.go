package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
	"github.com/edged/edged/bench/stat"
)

// pairs measures publish→subscribe: each publisher has its own topic and one subscriber. First as fast as it goes, then
// latency at a fixed rate.
func pairs(qos byte) Scenario {
	return Scenario{
		Name: fmt.Sprintf("qos%d", qos),
		About: func(s Scale) string {
			return fmt.Sprintf("publish→subscribe at QoS %d, %d publishers, each with a subscriber", qos, s.Pairs)
		},
		Need: func(Scale) peer.Need { return peer.Need{} },
		Run: func(ctx context.Context, t Target, s Scale) ([]Metric, error) {
			fast, err := saturatePairs(ctx, t, s, qos)
			if err != nil {
				return nil, err
			}
			paced, err := pacePairs(ctx, t, s, qos)
			return append(fast, paced...), err
		},
	}
}

func saturatePairs(ctx context.Context, t Target, s Scale, qos byte) ([]Metric, error) {
	l := load.New(ctx, t.Addr())
	pubs, _, err := connectPairs(l, s, qos, false)
	u := usage{t: t, delivered: delivered(pubs)}
	if err == nil {
		err = l.Saturate(pubs, s.Warm, s.Measure, u.mark)
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return u.between("")
}

func pacePairs(ctx context.Context, t Target, s Scale, qos byte) ([]Metric, error) {
	l := load.New(ctx, t.Addr())
	pubs, sinks, err := connectPairs(l, s, qos, true)
	u := usage{t: t, delivered: delivered(pubs)}
	if err == nil {
		u.mark()
		err = l.Pace(pubs, s.Rate, s.Measure)
		u.mark()
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	metrics, err := u.between(fmt.Sprintf("at %d/s: ", s.Rate))
	if err != nil {
		return nil, err
	}
	var samples []int64
	for _, sink := range sinks {
		samples = append(samples, sink.Samples()...)
	}
	slices.Sort(samples)
	metrics = metrics[1:] // the throughput is the rate
	for _, p := range []float64{50, 99, 99.9} {
		metrics = append(metrics, Metric{Name: fmt.Sprintf("at %d/s: latency p%v", s.Rate, p), Unit: "µs", Value: stat.Percentile(samples, p) / 1e3})
	}
	return metrics, nil
}

func connectPairs(l *load.Load, s Scale, qos byte, latency bool) (pubs []*load.Publisher, sinks []*load.Sink, err error) {
	for i := range s.Pairs {
		topic := fmt.Sprintf("plant/line%d/temperature", i)
		pub, err := l.Publisher(fmt.Sprintf("pub%d", i), load.Publication{
			Number: i, Topic: func(uint64) string { return topic }, QoS: qos, Size: payload, Window: window, Deliveries: 1,
		})
		if err != nil {
			return nil, nil, err
		}
		pubs = append(pubs, pub)
	}
	for i := range s.Pairs {
		sink, err := subscriber(l, fmt.Sprintf("sub%d", i), load.Reception{QoS: qos, Publishers: pubs, Flows: len(pubs), Latency: latency},
			fmt.Sprintf("plant/line%d/temperature", i))
		if err != nil {
			return nil, nil, err
		}
		sinks = append(sinks, sink)
	}
	return pubs, sinks, nil
}

// subscriber connects, subscribes, and receives.
func subscriber(l *load.Load, id string, r load.Reception, filters ...string) (*load.Sink, error) {
	c, err := l.Connect(id, false)
	if err != nil {
		return nil, err
	}
	if err := c.Subscribe(r.QoS, filters...); err != nil {
		return nil, fmt.Errorf("client %s: %w", id, err)
	}
	return l.Sink(c, r)
}

// delivered sums what the publishers were credited with.
func delivered(pubs []*load.Publisher) func() uint64 {
	return func() (n uint64) {
		for _, p := range pubs {
			n += p.Delivered()
		}
		return n
	}
}
