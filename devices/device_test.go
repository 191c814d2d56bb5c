package devices_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a driver and its only adapter.
type fake struct {
	run func(ctx context.Context, emit func(...devices.Event) error) error
	err error
}

func (*fake) Name() string { return "fake" }

func (f *fake) New(devices.Env, edged.Raw) (devices.Adapter, error) { return f, f.err }

func (f *fake) Run(ctx context.Context, emit func(...devices.Event) error) error {
	return f.run(ctx, emit)
}

// writer is a fake that lists its points and takes commands.
type writer struct {
	fake
	command func(context.Context, devices.Command) (devices.Result, error)
}

func (w *writer) New(devices.Env, edged.Raw) (devices.Adapter, error) { return w, nil }

func (w *writer) Points() []devices.Point {
	return []devices.Point{{Name: "a", Unit: "V", Writable: true}, {Name: "b"}, {Name: "c", Report: devices.Report{Deadband: 1, AtLeastEvery: time.Minute}}}
}

func (w *writer) Command(ctx context.Context, c devices.Command) (devices.Result, error) {
	return w.command(ctx, c)
}

func config() devices.Config {
	c := devices.DefaultConfig()
	c.Name, c.Driver, c.Raw = "dev", "fake", devicetest.YAML("")
	return c
}

// start runs a device on bus; stop waits for its end.
func start(t *testing.T, driver devices.Driver, bus edged.Bus) (d *devices.Device, stop func()) {
	t.Helper()
	d, err := devices.NewDevice(config(), []devices.Driver{driver}, bus, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-d.Ready()
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return d, stop
}

// emitting emits the batches that the test sends.
func emitting(batches <-chan []devices.Event, results chan<- error) func(context.Context, func(...devices.Event) error) error {
	return func(ctx context.Context, emit func(...devices.Event) error) error {
		for {
			select {
			case b := <-batches:
				results <- emit(b...)
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func payloads(bus *devicetest.Bus, topic string) (all []string) {
	for _, m := range bus.Messages(topic) {
		all = append(all, string(m.Payload))
	}
	return all
}

func TestSaysNothingTwice(t *testing.T) {
	bus, batches, results := &devicetest.Bus{}, make(chan []devices.Event), make(chan error)
	d, stop := start(t, &fake{run: emitting(batches, results)}, bus)
	say := func(events ...devices.Event) {
		t.Helper()
		batches <- events
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	reading := func(v any) devices.Event { return devices.Event{Point: "a", Value: v, Unit: "V"} }

	say(reading(1), devices.Event{Point: "b", Value: 2})
	say(devices.Online(), reading(1))
	say(devices.Offline("no reply"))
	say(devices.Offline("no reply"))
	say(devices.Event{Point: "a", Quality: devices.Bad, Reason: "no reply"}, devices.Offline("refused"))
	say(reading(3))
	say(devices.Event{Point: "b", Quality: devices.Bad, Reason: "exception"})
	say(devices.Event{Point: "b", Quality: devices.Bad, Reason: "exception"})
	say(devices.Event{Point: "b", Quality: devices.Bad, Reason: "another"})
	stop()

	want := []string{`{"state":"online"}`, `{"state":"offline","reason":"no reply"}`, `{"state":"online"}`, `{"state":"offline","reason":"stopped"}`}
	if got := payloads(bus, "devices/dev/status"); strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("status\ngot  %v\nwant %v", got, want)
	}
	for _, m := range bus.Messages("") {
		if m.QoS != edged.AtLeastOnce || m.Retain != (m.Topic == "devices/dev/status") {
			t.Errorf("%s: QoS %d, retain %v", m.Topic, m.QoS, m.Retain)
		}
	}
	if got := payloads(bus, "devices/dev/a"); len(got) != 4 || !strings.Contains(got[2], `{"value":null,"unit":"V",`) || !strings.HasSuffix(got[2], `"quality":"bad","reason":"no reply"}`) {
		t.Errorf("a: %v", got)
	}
	if got := payloads(bus, "devices/dev/b"); len(got) != 4 { // 2, bad as offline, exception, another
		t.Errorf("b: %v", got)
	}
	s := d.Stats()
	if s.Readings != 8 || s.Bad != 4 || s.Repeated != 2 || s.Points != 2 || s.State != devices.StateOffline || s.Reason != "stopped" {
		t.Errorf("%+v", s)
	}
}

func TestNoValueIsNeverGood(t *testing.T) {
	bus, batches, results := &devicetest.Bus{}, make(chan []devices.Event), make(chan error)
	start(t, &fake{run: emitting(batches, results)}, bus)
	nan := 0.0
	nan /= nan
	for _, v := range []any{nan, float32(nan), nil, []byte("x"), struct{}{}} {
		batches <- []devices.Event{{Point: "a", Value: v}, {Point: "a", Value: 1}}
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range payloads(bus, "devices/dev/a") {
		if want := i%2 == 1; strings.Contains(p, `"quality":"good"`) != want || strings.Contains(p, "null") == want {
			t.Errorf("reading %d is %s", i, p)
		}
	}
	if n := len(bus.Messages("devices/dev/a")); n != 10 {
		t.Errorf("%d readings", n)
	}
}

func TestRefusedIsSaidAgain(t *testing.T) {
	bus, batches, results := &devicetest.Bus{}, make(chan []devices.Event), make(chan error)
	d, _ := start(t, &fake{run: emitting(batches, results)}, bus)
	full := errors.New("disk full")
	for _, b := range [][]devices.Event{{{Point: "a", Value: 1}}, {devices.Offline("gone")}} {
		bus.Refuse(full)
		batches <- b
		if err := <-results; !errors.Is(err, full) {
			t.Fatalf("the adapter was told %v", err)
		}
		bus.Refuse(nil)
		batches <- b
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	if got := payloads(bus, "devices/dev/status"); len(got) != 2 || !strings.Contains(got[0], "online") || !strings.Contains(got[1], "gone") {
		t.Error(got)
	}
	if got := payloads(bus, "devices/dev/a"); len(got) != 2 || !strings.Contains(got[1], "bad") {
		t.Error(got)
	}
	if s := d.Stats(); s.Refused != 2 || s.Readings != 2 {
		t.Errorf("%+v", s)
	}
}

func TestImpossiblePointIsTold(t *testing.T) {
	bus, batches, results := &devicetest.Bus{}, make(chan []devices.Event), make(chan error)
	start(t, &fake{run: emitting(batches, results)}, bus)
	batches <- []devices.Event{{Point: "a/#", Value: 1}, {Point: "ok", Value: 2}}
	if err := <-results; err == nil || !strings.Contains(err.Error(), `a/#`) {
		t.Errorf("the adapter was told %v", err)
	}
	if len(bus.Messages("devices/dev/ok")) != 1 {
		t.Error("the good reading beside it was lost")
	}
}

// While the bus blocks, the adapter waits in emit, so nothing piles up.
func TestBlockedBusHoldsThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &devicetest.Bus{}
		var began, ended atomic.Int32
		unblock := bus.Block()
		_, stop := start(t, &fake{run: func(ctx context.Context, emit func(...devices.Event) error) error {
			for s := devices.NewSchedule(time.Second); ; {
				if _, err := s.Next(ctx); err != nil {
					return nil
				}
				began.Add(1)
				if emit(devices.Event{Point: "a", Value: 1}) == nil {
					ended.Add(1)
				}
			}
		}}, bus)
		time.Sleep(time.Hour)
		if began.Load() != 1 || ended.Load() != 0 {
			t.Errorf("%d polls began, %d ended", began.Load(), ended.Load())
		}
		unblock()
		time.Sleep(10500 * time.Millisecond)
		if n := ended.Load(); n != 12 { // the one that waited, that of the current interval, and ten
			t.Errorf("%d polls ended", n)
		}
		stop()
	})
}

func TestFailingAdapterRunsAgainWithLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &devicetest.Bus{}
		var at []time.Duration
		began := time.Now()
		d, stop := start(t, &writer{fake: fake{run: func(context.Context, func(...devices.Event) error) error {
			at = append(at, time.Since(began))
			switch len(at) % 3 {
			case 0:
				panic("boom")
			case 1:
				return errors.New("no such port")
			}
			return nil
		}}}, bus)
		time.Sleep(time.Hour)
		stop()
		if len(at) < 45 || len(at) > 70 {
			t.Errorf("%d runs in an hour", len(at))
		}
		for i := 1; i < len(at); i++ {
			want := min(time.Second<<min(i-1, 10), time.Minute)
			if pause := at[i] - at[i-1]; pause < want || pause > want+want/4 {
				t.Errorf("pause %d was %s; want %s to a quarter more", i, pause, want)
			}
		}
		if s := d.Stats(); s.Restarts != uint64(len(at)) && s.Restarts != uint64(len(at)-1) {
			t.Errorf("%d restarts of %d runs", s.Restarts, len(at))
		}
		if got := payloads(bus, "devices/dev/status"); len(got) != 2 || got[0] != `{"state":"offline","reason":"no such port"}` {
			t.Errorf("a flood: %v", got)
		}
		for _, p := range []string{"a", "b", "c"} {
			if got := payloads(bus, "devices/dev/"+p); len(got) != 1 || !strings.Contains(got[0], `"quality":"bad"`) {
				t.Errorf("%s: %v; want one bad reading, though the device was never there", p, got)
			}
		}
	})
}

func TestStopsThoughTheBusBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &devicetest.Bus{}
		unblock := bus.Block()
		defer unblock()
		_, stop := start(t, &fake{run: func(ctx context.Context, emit func(...devices.Event) error) error {
			_ = emit(devices.Online())
			<-ctx.Done()
			return nil
		}}, bus)
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("stopping took %s", took)
		}
	})
}

// A device that is run again says its state again, though it is the one with which it stopped.
func TestRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &devicetest.Bus{}
		driver := &fake{run: func(ctx context.Context, emit func(...devices.Event) error) error {
			err := emit(devices.Offline("no reply"))
			<-ctx.Done()
			return err
		}}
		d, err := devices.NewDevice(config(), []devices.Driver{driver}, bus, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := d.Run(ctx); err != nil {
				t.Error(err)
			}
			cancel()
		}
		const gone, stopped = `{"state":"offline","reason":"no reply"}`, `{"state":"offline","reason":"stopped"}`
		if got := strings.Join(payloads(bus, "devices/dev/status"), " "); got != strings.Join([]string{gone, stopped, gone, stopped}, " ") {
			t.Error(got)
		}
	})
}

func TestRunFailsWithoutSubscription(t *testing.T) {
	bus := &devicetest.Bus{}
	bus.Refuse(edged.ErrClosed)
	d, err := devices.NewDevice(config(), []devices.Driver{&fake{}}, bus, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); !errors.Is(err, edged.ErrClosed) || !strings.Contains(err.Error(), "device dev") {
		t.Error(err)
	}
}

func TestNewDeviceTellsAllProblems(t *testing.T) {
	c := config()
	c.Name, c.Driver = "a/b", "fkae"
	_, err := devices.NewDevice(c, []devices.Driver{&fake{}}, &devicetest.Bus{}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "name: ") || !strings.Contains(err.Error(), `driver: "fkae" is not a driver; did you mean "fake"?`) {
		t.Error(err)
	}
	_, err = devices.NewDevice(config(), []devices.Driver{&fake{err: edged.BadKey("points", "missing")}}, &devicetest.Bus{}, slog.New(slog.DiscardHandler))
	if err == nil || err.Error() != "points: missing" {
		t.Error(err)
	}
	c = config()
	c.Raw = nil
	if _, err = devices.NewDevice(c, []devices.Driver{&fake{}}, &devicetest.Bus{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a device without options was made")
	}
}

// What the deadband holds back is compared with what was published, not with what was read or refused.
func TestReportByException(t *testing.T) {
	bus, batches, results := &devicetest.Bus{}, make(chan []devices.Event), make(chan error)
	w := &writer{fake: fake{run: emitting(batches, results)}}
	d, _ := start(t, w, bus)
	now := time.Now()
	say := func(after time.Duration, v any, q devices.Quality, reason string) {
		t.Helper()
		batches <- []devices.Event{{Point: "c", Value: v, Time: now.Add(after), Quality: q, Reason: reason}}
		<-results
	}
	say(0, 20.0, "", "")
	say(1, 20.6, "", "")
	say(2, 21.1, "", "") // moved
	say(3, 20.2, "", "")
	say(4, 20.3, devices.Uncertain, "odd") // another quality
	say(5, 20.4, devices.Uncertain, "odd")
	say(6, nil, devices.Bad, "gone")
	say(7, 20.3, "", "") // back
	bus.Refuse(errors.New("full"))
	say(8, 30.0, "", "")
	bus.Refuse(nil)
	say(9, 30.1, "", "") // the refused one was not published
	say(10, 30.1, "", "")
	say(9+time.Minute, 30.2, "", "") // long ago
	var got []string
	for _, p := range payloads(bus, "devices/dev/c") {
		got = append(got, strings.TrimPrefix(strings.Split(p, ",")[0], `{"value":`))
	}
	if want := "20 21.1 20.3 null 20.3 30.1 30.2"; strings.Join(got, " ") != want {
		t.Errorf("published %v; want %s", got, want)
	}
	if s := d.Stats(); s.Silent != 4 {
		t.Errorf("%+v", s)
	}
}
