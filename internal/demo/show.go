package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/edged/edged/bridge"
	"github.com/edged/edged/internal/gateway"
)

// show is what happens on the screen.
type show struct {
	Options
	line    *line
	edge    *gateway.Gateway
	counter *counter
	started time.Time
}

func (s *show) printf(format string, args ...any) { fmt.Fprintf(s.Out, format+"\n", args...) }

func (s *show) title(cloud, edge string) {
	s.printf("edged demo: an edge and a stand-in cloud on this machine. Nothing leaves it, nothing stays.\n")
	s.printf("  edge   mqtt://%-18s 3 simulated devices, 160 readings a second, their queue on disk", edge)
	s.printf("  line   %-25s what will be cut", s.line.addr())
	s.printf("  cloud  mqtt://%-18s edged's own broker, standing in\n", cloud)
	s.printf("  time   uplink          sent   in the cloud   waiting on disk")
}

// play runs the acts and returns the account.
func (s *show) play(ctx context.Context) (Tally, error) {
	if err := s.until(ctx, s.Patience, func(u bridge.Stats, t Tally) bool { return u.State == bridge.Connected && t.Received > 0 }); err != nil {
		return Tally{}, fmt.Errorf("no reading reached the cloud: %w", err)
	}
	if err := s.pass(ctx, s.Before); err != nil {
		return Tally{}, err
	}
	s.printf("  ------ the line is cut ------")
	s.line.set(true)
	if err := s.pass(ctx, s.Outage); err != nil {
		return Tally{}, err
	}
	s.printf("  ------ the line is back: edged tries again, each time after a longer pause ------")
	s.line.set(false)
	s.counter.freeze()
	drained := s.until(ctx, s.Patience, func(u bridge.Stats, t Tally) bool { return u.State == bridge.Connected && t.Lost == 0 })
	if ctx.Err() != nil {
		return Tally{}, drained
	}
	t := s.counter.tally()
	s.printf("\n  sent        %6d\n  received    %6d\n  lost        %6d\n  duplicated  %6d", t.Sent, t.Received, t.Lost, t.Duplicated)
	if t.Duplicated > 0 {
		s.printf("\n  Duplicated: at QoS 1, what was on its way when the line was cut is sent again. With QoS 2 it would arrive once.")
	}
	return t, nil
}

// pass lets d go by.
func (s *show) pass(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return s.until(ctx, d+s.Patience, func(bridge.Stats, Tally) bool { return !time.Now().Before(end) })
}

// until prints a line a second until cond is true.
func (s *show) until(ctx context.Context, within time.Duration, cond func(bridge.Stats, Tally) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not within %v", within))
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	printed := time.Now()
	for {
		u, t := s.edge.Uplinks()["cloud"], s.counter.tally()
		done := cond(u, t)
		if done || time.Since(printed) >= time.Second {
			printed = time.Now()
			s.printf("  %3.0f s  %-12s %7d  %13d  %16d", time.Since(s.started).Seconds(), u.State, t.Sent, t.Received, u.Backlog)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
