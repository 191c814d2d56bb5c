package devices

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestScheduleDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := NewSchedule(100 * time.Millisecond)
		for i := range 1000 {
			if _, err := s.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			if at := time.Since(start); at != time.Duration(i)*100*time.Millisecond {
				t.Fatalf("round %d began at %s", i, at)
			}
			time.Sleep(time.Duration(i%90) * time.Millisecond) // the poll
		}
		if s.Missed() != 0 {
			t.Errorf("%d rounds missed", s.Missed())
		}
	})
}

func TestScheduleSkipsInsteadOfBunching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := NewSchedule(time.Second)
		var at []time.Duration
		for i := range 5 {
			if _, err := s.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Since(start))
			if i == 1 {
				time.Sleep(3500 * time.Millisecond) // over the rounds at 2, 3 and 4 s
			}
		}
		// The round at 4 s begins at 4.5 s, late but inside its interval; those of 2 and 3 s are missed.
		want := []time.Duration{0, time.Second, 4500 * time.Millisecond, 5 * time.Second, 6 * time.Second}
		for i := range want {
			if at[i] != want[i] {
				t.Fatalf("rounds began at %v; want %v", at, want)
			}
		}
		if s.Missed() != 2 {
			t.Errorf("%d rounds missed; want 2", s.Missed())
		}
	})
}

func TestScheduleEarliestDeadlineFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSchedule(10*time.Second, time.Second, 2*time.Second)
		var order []int
		for range 3 {
			g, err := s.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, g)
		}
		if order[0] != 1 || order[1] != 2 || order[2] != 0 {
			t.Errorf("order %v; want the shortest interval first", order)
		}
	})
}

// A group whose polls take longer than its interval must not starve the others.
func TestScheduleStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSchedule(time.Second, 5*time.Second)
		var slow int
		for start := time.Now(); time.Since(start) < time.Minute; {
			g, err := s.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(1500 * time.Millisecond)
			slow += g
		}
		if slow < 5 { // of 12: under overload each loses rounds
			t.Errorf("the slow group was polled %d times in a minute", slow)
		}
	})
}

func TestScheduleStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, s := range []*Schedule{NewSchedule(), NewSchedule(time.Hour)} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var err error
			for err == nil {
				_, err = s.Next(ctx)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
	})
}
