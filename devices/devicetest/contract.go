package devicetest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edged/edged/devices"
)

// Harness is a driver with a device that works.
type Harness struct {
	Driver devices.Driver
	// Options is a valid entry, with the name "tested" and an interval of at most 100 ms, of a device that answers.
	Options string
	// Invalid maps entries that must be refused to what their error says, such as the key's path.
	Invalid map[string]string
	// Write is a command that works, with the value read back, when the driver takes commands.
	Write *devices.Command
	Want  any
	// ReadOnly is a point that cannot be written.
	ReadOnly string
	// Break takes the device away, and Restore brings it back; nil: cannot be done.
	Break, Restore func()
}

// patience is how long the contract waits for what must happen soon.
const patience = 10 * time.Second

// Run checks what the package devices relies on.
func Run(t *testing.T, h Harness) {
	t.Run("Name", func(t *testing.T) {
		if name := h.Driver.Name(); name == "" || name != strings.ToLower(name) {
			t.Errorf("the name is %q; want a lower-case word", name)
		}
	})
	t.Run("InvalidOptions", h.invalid)
	t.Run("StartsNothing", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		h.adapter(t)
	})
	t.Run("EmitsAndStops", h.emits)
	t.Run("StopsWhileTheBusBlocks", h.blocked)
	t.Run("SurvivesARefusingBus", h.refused)
	t.Run("Commands", h.commands)
	t.Run("OfflineAndBack", h.offline)
}

func (h Harness) adapter(t *testing.T) devices.Adapter {
	t.Helper()
	a, err := h.Driver.New(devices.Env{Device: "tested", Log: slog.New(slog.DiscardHandler)}, YAML(h.Options))
	if err != nil {
		t.Fatalf("the valid options were refused: %v", err)
	}
	return a
}

func (h Harness) invalid(t *testing.T) {
	cases := map[string]string{h.Options + "\nnonsense: 1\n": "nonsense"}
	for options, want := range h.Invalid {
		cases[options] = want
	}
	for options, want := range cases {
		a, err := h.Driver.New(devices.Env{Device: "tested", Log: slog.New(slog.DiscardHandler)}, YAML(options))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q, for the options:\n%s", err, want, options)
		}
		if err != nil && a != nil {
			t.Errorf("an adapter beside the error %v", err)
		}
	}
}

// run runs a, and returns how to stop it and wait for its end.
func run(t *testing.T, a devices.Adapter, emit func(context.Context, ...devices.Event) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, func(e ...devices.Event) error { return emit(ctx, e...) }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run returned %v; want nil when told to stop", err)
			}
		case <-time.After(patience):
			t.Errorf("Run did not return")
		}
	})
	t.Cleanup(stop)
	return stop
}

// await fails the test when c stays silent.
func await[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

// emits: twice, because Run begins anew after an end.
func (h Harness) emits(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	a := h.adapter(t)
	for range 2 {
		seen := make(chan devices.Event, 1)
		stop := run(t, a, func(_ context.Context, events ...devices.Event) error {
			for _, e := range events {
				if e.Point != "" && (e.Quality == "" || e.Quality == devices.Good) {
					select {
					case seen <- e:
					default:
					}
				}
			}
			return nil
		})
		e := await(t, seen, "a good reading")
		stop()
		if err := devices.CheckPoint("point", e.Point); err != nil {
			t.Error(err)
		}
		if e.Value == nil {
			t.Errorf("%q is good and has no value", e.Point)
		}
		if l, ok := a.(devices.Lister); ok && !listed(l, e.Point) {
			t.Errorf("%q is not among the points %v", e.Point, l.Points())
		}
	}
}

func listed(l devices.Lister, name string) bool {
	for _, p := range l.Points() {
		if p.Name == name {
			return true
		}
	}
	return false
}

func (h Harness) blocked(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	blocked := make(chan struct{})
	once := sync.OnceFunc(func() { close(blocked) })
	stop := run(t, h.adapter(t), func(ctx context.Context, _ ...devices.Event) error {
		once()
		<-ctx.Done()
		return ctx.Err()
	})
	await(t, blocked, "an event")
	stop()
}

func (h Harness) refused(t *testing.T) {
	var refusals atomic.Int32
	done := make(chan struct{})
	once := sync.OnceFunc(func() { close(done) })
	run(t, h.adapter(t), func(context.Context, ...devices.Event) error {
		if refusals.Add(1) <= 3 {
			return errors.New("refused")
		}
		once()
		return nil
	})
	await(t, done, "an event after three refusals")
}

func (h Harness) commands(t *testing.T) {
	a := h.adapter(t)
	c, ok := a.(devices.Commander)
	if !ok {
		if h.Write != nil {
			t.Fatal("the adapter is no devices.Commander")
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := c.Command(ctx, devices.Command{Point: "no such point", Value: int64(1)}); err == nil {
		t.Error("a command to a point that is not there was executed")
	}
	if h.ReadOnly != "" {
		if _, err := c.Command(ctx, devices.Command{Point: h.ReadOnly, Value: int64(1)}); err == nil {
			t.Error("a command to a read-only point was executed")
		}
	}
	write := func(when string) {
		if r, err := c.Command(ctx, *h.Write); err != nil || r.Value != h.Want {
			t.Errorf("%s: %v (%T), %v; want %v (%T)", when, r.Value, r.Value, err, h.Want, h.Want)
		}
	}
	write("before Run")
	stop := run(t, a, func(context.Context, ...devices.Event) error { return nil })
	write("beside Run")
	stop()
	write("after Run")
}

func (h Harness) offline(t *testing.T) {
	if h.Break == nil {
		return
	}
	events := make(chan devices.Event, 1000)
	run(t, h.adapter(t), func(ctx context.Context, all ...devices.Event) error {
		for _, e := range all {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		}
		return nil
	})
	good := func(e devices.Event) bool { return e.Point != "" && (e.Quality == "" || e.Quality == devices.Good) }
	find := func(what string, is func(devices.Event) bool) (e devices.Event) {
		for e = await(t, events, what); !is(e); e = await(t, events, what) {
		}
		return e
	}
	find("a good reading", good)
	h.Break()
	e := find("the offline event", func(e devices.Event) bool { return e.Point == "" && e.State == devices.StateOffline })
	if e.Reason == "" {
		t.Error("offline without a reason")
	}
	h.Restore()
	find("a good reading after the device came back", good)
}
