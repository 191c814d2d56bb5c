package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

func device(t *testing.T, options string) *adapter {
	t.Helper()
	a, err := Driver{}.New(devices.Env{Device: "plant", Log: slog.New(slog.DiscardHandler)}, devicetest.YAML(options))
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter)
}

// runFor runs a for d of the bubble's time.
func runFor(t *testing.T, a *adapter, d time.Duration, emit func(...devices.Event) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := a.Run(ctx, emit); err != nil {
		t.Error(err)
	}
}

const several = `
name: plant
every: 100ms
seed: 7
points:
  - {name: count, generator: counter, start: 5}
  - {name: slow, generator: counter, every: 1s}
  - {name: wave, generator: sine, min: 18, max: 24, period: 1s, unit: "°C"}
  - {name: level, generator: ramp, period: 1s}
  - {name: pressure, generator: walk, min: 1, max: 5, step: 0.5}
  - {name: on, generator: constant, value: true}
`

// collect runs the device for a second and returns its readings as text.
func collect(t *testing.T, options string) (all []string) {
	synctest.Test(t, func(t *testing.T) {
		runFor(t, device(t, options), 1050*time.Millisecond, func(events ...devices.Event) error {
			for _, e := range events {
				all = append(all, fmt.Sprintf("%s=%v%s", e.Point, e.Value, e.Unit))
			}
			return nil
		})
	})
	return all
}

func TestValuesDependOnTheSeedAlone(t *testing.T) {
	first := collect(t, several)
	if again := collect(t, several); !slices.Equal(first, again) {
		t.Errorf("two runs differ:\n%v\n%v", first, again)
	}
	if other := collect(t, strings.Replace(several, "seed: 7", "seed: 8", 1)); slices.Equal(first, other) {
		t.Error("another seed makes the same walk")
	}
	for _, want := range []string{"count=5", "count=15", "slow=0", "slow=1", "wave=21°C", "level=0", "level=90", "on=true"} {
		if !slices.Contains(first, want) {
			t.Errorf("no %s in %v", want, first)
		}
	}
	if slices.Contains(first, "count=16") || slices.Contains(first, "slow=2") {
		t.Errorf("polled too often: %v", first)
	}
}

func TestGeneratorsStayInBounds(t *testing.T) {
	for _, name := range []string{"sine", "ramp", "walk"} {
		g := newGenerator(Point{Generator: name, Min: -2, Max: 3, Step: 10, Period: time.Second}, 1, 1)
		for n := range int64(10_000) {
			if v := g(n, time.Duration(n)*7*time.Millisecond).(float64); v < -2 || v > 3 {
				t.Fatalf("%s: round %d gave %v", name, n, v)
			}
		}
	}
}

// A counter proves that nothing was lost only when a refused or blocked round is not skipped.
func TestCounterHasNoGapWhenTheBusRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		calls := 0
		a := device(t, "name: plant\nevery: 1ms\npoints: [{name: count, generator: counter}]\n")
		emit := func(events ...devices.Event) error {
			calls++
			switch {
			case calls%3 == 0:
				return errors.New("refused")
			case calls%100 == 0:
				<-time.After(20 * time.Millisecond) // the bus blocks for 20 rounds
			}
			got = append(got, events[0].Value)
			return nil
		}
		runFor(t, a, 500*time.Millisecond, emit)
		runFor(t, a, 500*time.Millisecond, emit) // run again, as after a failure
		for i, v := range got {
			if v != int64(i) {
				t.Fatalf("reading %d is %v", i, v)
			}
		}
		c := a.Counters()
		if len(got) < 400 || c["rounds"] != uint64(len(got)) || c["missed"] < 20 {
			t.Errorf("%d readings, counters %v", len(got), c)
		}
	})
}

func TestFailsNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := device(t, "name: plant\nevery: 1s\nfail: {after: 10s, for: 5s}\npoints: [{name: count, generator: counter}]\n")
		offline, readings := 0, 0
		runFor(t, a, 29500*time.Millisecond, func(events ...devices.Event) error {
			if events[0].Point == "" {
				offline++
			} else {
				readings++
			}
			return nil
		})
		if readings != 20 || offline != 10 {
			t.Errorf("%d readings and %d rounds offline; want 20 and 10", readings, offline)
		}
	})
}

func TestCommandKeepsTheKind(t *testing.T) {
	a := device(t, `{name: plant, points: [{name: n, generator: constant, value: 1, writable: true}, {name: s, generator: constant, value: auto, writable: true}]}`)
	for _, c := range []devices.Command{{Point: "n", Value: "x"}, {Point: "n", Value: true}, {Point: "s", Value: int64(1)}, {Point: "n", Value: nil}} {
		if r, err := a.Command(t.Context(), c); err == nil {
			t.Errorf("%v was taken: %v", c, r)
		}
	}
	if r, err := a.Command(t.Context(), devices.Command{Point: "s", Value: "manual"}); err != nil || r.Value != "manual" {
		t.Errorf("%v, %v", r, err)
	}
	if v := a.groups[0].next(time.Now())[1].Value; v != "manual" {
		t.Errorf("the next reading is %v", v)
	}
}
