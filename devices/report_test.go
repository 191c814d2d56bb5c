package devices

import (
	"math"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct {
		name   string
		r      Report
		was, v any
		age    time.Duration
		silent bool
	}{
		{"all are published", Report{}, 1.0, 1.0, 0, false},
		{"inside of the deadband", Report{Deadband: 0.5}, 20.0, 20.49, time.Hour, true},
		{"at its edge", Report{Deadband: 0.5}, 20.0, 19.5, 0, false},
		{"of another kind of number", Report{Deadband: 2}, int64(20), uint64(21), 0, true},
		{"of float32", Report{Deadband: 2}, float32(20), float32(22.5), 0, false},
		{"a large integer is compared exactly", Report{AtLeastEvery: minute}, int64(1 << 60), int64(1<<60 + 1), 0, false},
		{"no change", Report{AtLeastEvery: minute}, true, true, 0, true},
		{"a change", Report{AtLeastEvery: minute}, true, false, 0, false},
		{"texts have no distance", Report{Deadband: 5}, "a", "b", 0, false},
		{"the same text", Report{Deadband: 5}, "a", "a", 0, true},
		{"too old", Report{Deadband: 5, AtLeastEvery: minute}, 1.0, 1.0, minute, false},
		{"not yet", Report{Deadband: 5, AtLeastEvery: minute}, 1.0, 1.0, minute - 1, true},
		{"from the future", Report{Deadband: 5, AtLeastEvery: minute}, 1.0, 1.0, -1, false},
	} {
		if got := c.r.silent(c.was, c.v, c.age); got != c.silent {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	for _, r := range []Report{{Deadband: -1}, {Deadband: math.NaN()}, {Deadband: math.Inf(1)}, {AtLeastEvery: -1}} {
		if r.Check("points[0].") == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	if err := (Report{Deadband: 1, AtLeastEvery: 1}).Check(""); err != nil {
		t.Error(err)
	}
}
