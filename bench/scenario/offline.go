package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/edged/edged/bench/load"
	"github.com/edged/edged/bench/peer"
)

// offline measures a persistent session's queue: filled at QoS 1 while its client is away, drained when it is back.
func offline() Scenario {
	return Scenario{
		Name: "offline",
		About: func(s Scale) string {
			return fmt.Sprintf("%d messages at QoS 1 for a persistent session whose client is away, and their delivery when it is back", s.Offline)
		},
		Need: func(s Scale) peer.Need { return peer.Need{Waiting: s.Offline} },
		Run: func(ctx context.Context, t Target, s Scale) ([]Metric, error) {
			if err := leaveSession(ctx, t); err != nil {
				return nil, fmt.Errorf("subscribing: %w", err)
			}
			fill, err := fillQueue(ctx, t, s)
			if err != nil {
				return nil, fmt.Errorf("filling: %w", err)
			}
			drain, err := drainQueue(ctx, t, s)
			if err != nil {
				return nil, fmt.Errorf("draining: %w", err)
			}
			return append(fill, drain...), nil
		},
	}
}

const absent = "absent"

func leaveSession(ctx context.Context, t Target) error {
	l := load.New(ctx, t.Addr())
	c, err := l.Connect(absent, true)
	if err == nil {
		err = c.Subscribe(1, "plant/+/alarm")
	}
	if err == nil {
		err = c.Disconnect()
	}
	return l.Close(err)
}

func fillQueue(ctx context.Context, t Target, s Scale) ([]Metric, error) {
	l := load.New(ctx, t.Addr())
	pubs, err := connectKept(l, false, func(i int) func(uint64) string {
		topic := fmt.Sprintf("plant/line%d/alarm", i)
		return func(uint64) string { return topic }
	})
	n := uint64(s.Offline / kept * kept)
	u := usage{t: t, delivered: func() uint64 { return 0 }}
	if err == nil {
		u.mark()
		err = l.SendEach(pubs, n/kept)
		u.delivered = func() uint64 { return n } // acknowledged
		u.mark()
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	return u.between("fill: ")
}

func drainQueue(ctx context.Context, t Target, s Scale) ([]Metric, error) {
	n := uint64(s.Offline / kept * kept)
	l := load.New(ctx, t.Addr())
	u := usage{t: t, delivered: func() uint64 { return 0 }}
	u.mark()
	c, err := l.Connect(absent, true)
	if err != nil {
		return nil, l.Close(err)
	}
	// mochi sorts what it sends again by the second it was published in, and so mixes it; that is counted, not forbidden.
	sink, err := l.Sink(c, load.Reception{QoS: 1, Flows: kept, Unordered: true})
	if err == nil {
		u.delivered = sink.Count
		err = l.Await("queued messages arrived", n, sink.Count)
		u.mark()
	}
	if err == nil {
		err = l.Sleep(100 * time.Millisecond) // one too many would come now
	}
	if err := l.Close(err); err != nil {
		return nil, err
	}
	metrics, err := u.between("drain: ")
	return append(metrics, Metric{Name: "drain: out of order", Unit: "msg", Value: float64(sink.Overtaken())}), err
}
