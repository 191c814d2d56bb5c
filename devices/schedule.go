package devices

import (
	"context"
	"sync/atomic"
	"time"
)

// Schedule says which group of points to poll next. Every group has its interval; its rounds lie on a grid that begins
// when the schedule is made, so they do not drift however long a poll takes.
//
//	every 1s    |----|----|----|----|----|----
//	polls       x    x    xxxxxxxxxxx-  x         one took two intervals: the rounds inside it are missed and counted,
//	                                              never made up for in a bunch
//
// Of several groups that are due, the one whose round ends first goes first (earliest deadline), so a group of long
// interval waits for those of short ones, but not for ever. Time is monotonic: setting the clock changes nothing.
//
// One goroutine calls Next; Missed may be called from any.
type Schedule struct {
	groups []round
	missed atomic.Uint64
}

// round is a group's next round: it is due at a time, and ends an interval later.
type round struct {
	due   time.Time
	every time.Duration
}

// NewSchedule makes a schedule; group i has the i-th interval, which is above 0, and is due at once.
func NewSchedule(every ...time.Duration) *Schedule {
	s := &Schedule{groups: make([]round, len(every))}
	now := time.Now()
	for i, e := range every {
		s.groups[i] = round{due: now, every: e}
	}
	return s
}

// Next waits until a group is due and returns its index, or ctx's error. Without groups it waits for ctx.
func (s *Schedule) Next(ctx context.Context) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		now := time.Now()
		group, wait := s.pick(now)
		if wait <= 0 && group >= 0 {
			r := &s.groups[group]
			late := now.Sub(r.due) / r.every
			s.missed.Add(uint64(late))
			r.due = r.due.Add((late + 1) * r.every)
			return group, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
}

// pick returns the due group of the earliest deadline, or how long to wait for the first one.
func (s *Schedule) pick(now time.Time) (group int, wait time.Duration) {
	group, wait = -1, MaxEvery
	var deadline time.Time
	for i, r := range s.groups {
		if ahead := r.due.Sub(now); ahead > 0 {
			wait = min(wait, ahead)
		} else if end := r.due.Add(r.every); group < 0 || end.Before(deadline) {
			group, deadline = i, end
		}
	}
	if group >= 0 {
		wait = 0
	}
	return group, wait
}

// Missed is how many rounds were skipped because their time had passed before they could begin.
func (s *Schedule) Missed() uint64 { return s.missed.Load() }

// sleep waits for d, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
