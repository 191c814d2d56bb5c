package scenario

import (
	"context"
	"fmt"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
)

// fanOut measures one publisher whose messages go to many subscribers, at QoS 0 and 1. A message counts once for each
// subscriber.
func fanOut() Scenario {
	return Scenario{
		Name: "fanout",
		About: func(s Scale) string {
			return fmt.Sprintf("one publisher, %d subscribers of its topic", s.Fan)
		},
		Need: func(Scale) peer.Need { return peer.Need{} },
		Run: func(ctx context.Context, t Target, s Scale) ([]Metric, error) {
			return eachQoS(func(qos byte) ([]Metric, error) { return runFanOut(ctx, t, s, qos) })
		},
	}
}

// eachQoS runs f at QoS 0 and 1.
func eachQoS(f func(qos byte) ([]Metric, error)) (all []Metric, err error) {
	for qos := range byte(2) {
		m, err := f(qos)
		if err != nil {
			return nil, fmt.Errorf("QoS %d: %w", qos, err)
		}
		all = append(all, m...)
	}
	return all, nil
}

func runFanOut(ctx context.Context, t Target, s Scale, qos byte) ([]Metric, error) {
	l := load.New(ctx, t.Addr())
	pubs, err := connectFanOut(l, s, qos)
	u := usage{t: t, delivered: delivered(pubs)}
	if err == nil {
		err = l.Saturate(pubs, s.Warm, s.Measure, u.mark)
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return u.between(fmt.Sprintf("QoS %d: ", qos))
}

func connectFanOut(l *load.Load, s Scale, qos byte) ([]*load.Publisher, error) {
	const topic = "plant/clock"
	pub, err := l.Publisher("pub", load.Publication{
		Topic: func(uint64) string { return topic }, QoS: qos, Size: payload, Window: 10, Deliveries: s.Fan,
	})
	if err != nil {
		return nil, err
	}
	pubs := []*load.Publisher{pub}
	for i := range s.Fan {
		if _, err := subscriber(l, fmt.Sprintf("sub%d", i), load.Reception{QoS: qos, Publishers: pubs, Flows: 1}, topic); err != nil {
			return nil, err
		}
	}
	return pubs, nil
}
