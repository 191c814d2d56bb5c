package devices_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

func idle(ctx context.Context, _ func(...devices.Event) error) error {
	<-ctx.Done()
	return nil
}

func set(point, payload string) edged.Message {
	return edged.Message{Topic: "devices/dev/" + point + "/set", Payload: []byte(payload), From: "cloud"}
}

func TestCommandsAreAnswered(t *testing.T) {
	bus := &devicetest.Bus{}
	w := &writer{fake: fake{run: idle}, command: func(_ context.Context, c devices.Command) (devices.Result, error) {
		switch {
		case c.From != "cloud" || c.Point != "a":
			return devices.Result{}, fmt.Errorf("%+v", c)
		case c.Value == "panic":
			panic("boom")
		case c.Value == "fail":
			return devices.Result{}, errors.New("exception 4")
		}
		return devices.Result{Value: c.Value}, nil
	}}
	d, _ := start(t, w, bus)
	for _, c := range []struct{ point, payload, want string }{
		{"a", `21.5`, `{"ok":true,"value":21.5}`},
		{"a", `{"value":true,"id":"x"}`, `{"id":"x","ok":true,"value":true}`},
		{"a", `fail`, `{"ok":false,"error":"exception 4"}`},
		{"a", `panic`, `"error":"the driver fake panicked: boom"`},
		{"a", ``, `"ok":false,"error":"the command is empty`},
		{"a", `{"id":"y"}`, `{"id":"y","ok":false,"error":"the command has no \"value\""}`},
		{"b", `1`, `the point \"b\" is read only; to write it, configure it with writable: true`},
		{"nosuch", `1`, `the device has no point \"nosuch\"`},
	} {
		bus.Send(t, set(c.point, c.payload))
		n := bus.Await(t, "devices/dev/"+c.point+"/set/result", 0, c.want)
		if m := bus.Messages("devices/dev/" + c.point + "/set/result")[n-1]; m.Retain || m.QoS != edged.AtLeastOnce {
			t.Errorf("%+v", m)
		}
	}
	expired := set("a", "1")
	expired.Time, expired.Props = time.Now().Add(-time.Minute), &edged.Properties{HasExpiry: true, Expiry: 1}
	bus.Send(t, expired)
	bus.Await(t, "devices/dev/a/set/result", 0, "expired")
	old := set("a", "1")
	old.Retain = true
	bus.Send(t, old) // a restart must not execute it again
	if s := d.Stats(); s.Commands != 9 || s.Failed != 7 || s.Unanswered != 0 {
		t.Errorf("%+v", s)
	}
}

func TestDeviceWithoutCommands(t *testing.T) {
	bus := &devicetest.Bus{}
	start(t, &fake{run: idle}, bus)
	bus.Send(t, set("a", "1"))
	bus.Await(t, "devices/dev/a/set/result", 0, `{"ok":false,"error":"the driver fake takes no commands"}`)
}

func TestCommandsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &devicetest.Bus{}
		release := make(chan struct{})
		w := &writer{fake: fake{run: idle}, command: func(ctx context.Context, c devices.Command) (devices.Result, error) {
			select {
			case <-release:
				return devices.Result{Value: c.Value}, nil
			case <-ctx.Done():
				return devices.Result{}, ctx.Err()
			}
		}}
		d, stop := start(t, w, bus)
		bus.Send(t, set("a", "0"))
		synctest.Wait() // it is being executed
		for i := range 100 {
			bus.Send(t, set("a", fmt.Sprint(i)))
		}
		close(release)
		synctest.Wait()
		done, refused := 0, 0
		for _, m := range bus.Messages("devices/dev/a/set/result") {
			if strings.Contains(string(m.Payload), `"ok":true`) {
				done++
			} else if strings.Contains(string(m.Payload), "too many commands wait") {
				refused++
			}
		}
		if s := d.Stats(); done != 33 || refused != 32 || s.Unanswered != 36 || s.Commands != 101 {
			t.Errorf("%d done, %d refused, %+v", done, refused, s)
		}
		stop()
	})
}

// A command to a device that hangs ends by its timeout, and a stop answers those that wait.
func TestHangingCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &devicetest.Bus{}
		w := &writer{fake: fake{run: idle}, command: func(ctx context.Context, _ devices.Command) (devices.Result, error) {
			<-ctx.Done()
			return devices.Result{}, ctx.Err()
		}}
		_, stop := start(t, w, bus)
		bus.Send(t, set("a", `{"value":1,"id":"one"}`))
		time.Sleep(11 * time.Second)
		bus.Send(t, set("a", `{"value":1,"id":"two"}`))
		synctest.Wait()
		bus.Send(t, set("a", `{"value":1,"id":"three"}`))
		stop()
		for _, want := range []string{
			`{"id":"one","ok":false,"error":"context deadline exceeded"}`, `{"id":"two","ok":false,"error":"context canceled"}`,
			`{"id":"three","ok":false,"error":"edged is stopping; the command was not executed"}`,
		} {
			bus.Await(t, "devices/dev/a/set/result", 0, want)
		}
	})
}
