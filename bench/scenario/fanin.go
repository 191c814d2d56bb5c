package scenario

import (
	"context"
	"fmt"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
)

// fanIn measures many publishers whose messages go to one subscriber, at QoS 0 and 1.
func fanIn() Scenario {
	return Scenario{
		Name: "fanin",
		About: func(s Scale) string {
			return fmt.Sprintf("%d publishers, each with its own topic, one subscriber of all", s.Fan)
		},
		Need: func(Scale) peer.Need { return peer.Need{} },
		Run: func(ctx context.Context, t Target, s Scale) ([]Metric, error) {
			return eachQoS(func(qos byte) ([]Metric, error) { return runFanIn(ctx, t, s, qos) })
		},
	}
}

func runFanIn(ctx context.Context, t Target, s Scale, qos byte) ([]Metric, error) {
	l := load.New(ctx, t.Addr())
	pubs, err := connectFanIn(l, s, qos)
	u := usage{t: t, delivered: delivered(pubs)}
	if err == nil {
		err = l.Saturate(pubs, s.Warm, s.Measure, u.mark)
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return u.between(fmt.Sprintf("QoS %d: ", qos))
}

func connectFanIn(l *load.Load, s Scale, qos byte) (pubs []*load.Publisher, err error) {
	for i := range s.Fan {
		topic := fmt.Sprintf("plant/sensor%d/value", i)
		// Few each, since all wait for one subscriber.
		pub, err := l.Publisher(fmt.Sprintf("pub%d", i), load.Publication{
			Number: i, Topic: func(uint64) string { return topic }, QoS: qos, Size: payload, Window: 4, Deliveries: 1,
		})
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, pub)
	}
	_, err = subscriber(l, "sub", load.Reception{QoS: qos, Publishers: pubs, Flows: len(pubs)}, "plant/+/value")
	return pubs, err
}
