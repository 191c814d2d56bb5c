package scenario

import (
	"context"
	"fmt"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
)

// holders is how many clients share the subscriptions. It stays the same at each size, and so does what a delivery costs:
// only the tree grows.
const holders = 100

// subscriptions measures whether publishing gets dearer with the number of subscriptions. Each message matches exactly one
// of them, each time another; all end in a wildcard.
func subscriptions() Scenario {
	return Scenario{
		Name: "subscriptions",
		About: func(s Scale) string {
			return fmt.Sprintf("QoS 0, %d publishers, each message to one of %d clients that together hold ever more subscriptions", s.Pairs, holders)
		},
		Need: func(Scale) peer.Need { return peer.Need{} },
		Run: func(ctx context.Context, t Target, s Scale) (all []Metric, err error) {
			var first, last float64
			for i, n := range s.Subscriptions {
				m, err := runSubscriptions(ctx, t, s, n)
				if err != nil {
					return nil, fmt.Errorf("%d subscriptions: %w", n, err)
				}
				all = append(all, m...)
				if last = m[1].Value; i == 0 {
					first = last
				}
			}
			return append(all, Metric{Name: "growth of CPU per message, first to last", Unit: "times", Value: last / first}), nil
		},
	}
}

func runSubscriptions(ctx context.Context, t Target, s Scale, n int) ([]Metric, error) {
	l := load.New(ctx, t.Addr())
	pubs, err := connectSubscriptions(l, s, n)
	u := usage{t: t, delivered: delivered(pubs)}
	if err == nil {
		err = l.Saturate(pubs, s.Warm, s.Measure, u.mark)
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return u.between(fmt.Sprintf("%d: ", n))
}

func connectSubscriptions(l *load.Load, s Scale, n int) (pubs []*load.Publisher, err error) {
	topics := make([]string, n)
	for i := range topics {
		topics[i] = fmt.Sprintf("site%d/device%d/value", i/1000, i%1000)
	}
	for i := range s.Pairs {
		const stride = 7919 // a prime that divides no n, so that every topic gets its turn
		pub, err := l.Publisher(fmt.Sprintf("pub%d", i), load.Publication{
			Number: i, Topic: func(seq uint64) string { return topics[(seq*stride+uint64(i))%uint64(n)] }, Size: payload, Window: window, Deliveries: 1,
		})
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, pub)
	}
	for h := range holders {
		var filters []string
		for i := h; i < n; i += holders {
			filters = append(filters, fmt.Sprintf("site%d/device%d/+", i/1000, i%1000))
		}
		if _, err := subscriber(l, fmt.Sprintf("holder%d", h), load.Reception{Publishers: pubs, Flows: len(pubs)}, filters...); err != nil {
			return nil, err
		}
	}
	return pubs, nil
}
