package modbus

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os/exec"
	"strings"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

// pymodbus is a real server of another make.
type pymodbus struct {
	in   io.Writer
	out  *bufio.Reader
	port string
}

func newPymodbus(t *testing.T) *pymodbus {
	t.Helper()
	// Debian's interpreter, because the package is Debian's.
	cmd := exec.Command("/usr/bin/python3", "testdata/pymodbus_server.py")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; install python3-pymodbus", err)
	}
	p := &pymodbus{in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, complaints.String())
		}
	})
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start (install python3-pymodbus): %v\n%s", err, complaints.String())
	}
	p.port = strings.TrimSpace(line)
	return p
}

// tell sends a line and returns the answer.
func (p *pymodbus) tell(t *testing.T, format string, args ...any) string {
	t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		t.Fatal(err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// The whole way: a register of a real server to a topic, and a command to a register and back.
func TestAgainstPymodbus(t *testing.T) {
	p := newPymodbus(t)
	f := math.Float32bits(230.5)
	p.tell(t, "set hr 0 %d %d", f>>16, f&0xFFFF)
	p.tell(t, "set ir 5 4711")
	p.tell(t, "set di 7 1")
	p.tell(t, "set hr 30 0xDCFE 0x98BA 0x5476 0x1032") // -0x0123456789abcdf0, bytes swapped to BADC by words: see the order

	cfg := devices.DefaultConfig()
	cfg.Name, cfg.Driver = "boiler", "modbus"
	cfg.Raw = devicetest.YAML("name: boiler\ndriver: modbus\nurl: tcp://127.0.0.1:" + p.port + "\nunit: 7\nevery: 20ms\n" + points(
		"name: voltage, register: holding, address: 0, type: float32, order: ABCD, unit: V",
		"name: setpoint, register: holding, address: 10, type: int16, scale: 0.1, min: 5, max: 90, writable: true",
		"name: alarm, register: holding, address: 11, type: bit, bit: 15, writable: true",
		"name: total, register: holding, address: 20, type: float64, order: CDAB, writable: true",
		"name: big, register: holding, address: 30, type: int64, order: BADC",
		"name: text, register: holding, address: 40, type: string, length: 4, order: BADC, writable: true",
		"name: level, address: 30006",
		"name: pump, register: coil, address: 3, writable: true",
		"name: valve, register: coil, address: 499, writable: true, force_multiple: true",
		"name: door, register: discrete, address: 7",
		"name: nowhere, register: holding, address: 505",
	))
	bus := &devicetest.Bus{}
	d, err := devices.NewDevice(cfg, []devices.Driver{Driver{}}, bus, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		bus.Await(t, "devices/boiler/status", 0, `{"state":"offline","reason":"stopped"}`)
	}()

	await := func(point string, parts ...string) {
		t.Helper()
		bus.Await(t, "devices/boiler/"+point, 0, parts...)
	}
	await("status", `{"state":"online"}`)
	await("voltage", `{"value":230.5,"unit":"V","time":"`, `"quality":"good"}`)
	await("big", `"value":-81985529216486896,`)
	await("level", `"value":4711,`)
	await("door", `"value":true,`)
	await("pump", `"value":false,`)
	await("setpoint", `"value":0,`, `"quality":"uncertain","reason":"below min, which is 5"`)
	await("nowhere", `"value":null,`, `"quality":"bad","reason":"modbus: exception '2' (illegal data address)`)

	p.tell(t, "set hr 0 0x4361 0x4000") // 225.25
	await("voltage", `"value":225.25,`)

	for _, c := range []struct{ point, send, answer, check, want string }{
		{"setpoint", `{"value":21.5,"id":"a"}`, `{"id":"a","ok":true,"value":21.5}`, "get hr 10 1", "215"},
		{"setpoint", `91`, `"ok":false,"error":"91 is outside of the point's limits, min 5, max 90"`, "get hr 10 1", "215"},
		{"alarm", `true`, `{"ok":true,"value":true}`, "get hr 11 1", "32768"},
		{"total", `1.5`, `{"ok":true,"value":1.5}`, "get hr 20 4", "0 0 0 16376"},
		{"text", `hello`, `{"ok":true,"value":"hello"}`, "get hr 40 4", "25960 27756 111 0"},
		{"pump", `on`, `{"ok":true,"value":true}`, "get co 3 1", "1"},
		{"valve", `1`, `{"ok":true,"value":true}`, "get co 499 1", "1"},
		{"voltage", `1`, `"ok":false,"error":"the point \"voltage\" is read only`, "get hr 0 1", "17249"},
	} {
		topic := "devices/boiler/" + c.point + "/set"
		already := len(bus.Messages(topic + "/result"))
		bus.Send(t, edged.Message{Topic: topic, Payload: []byte(c.send), From: "tester"})
		bus.Await(t, topic+"/result", already, c.answer)
		if got := p.tell(t, "%s", c.check); got != c.want {
			t.Errorf("%s %s: the server holds %s; want %s", c.point, c.send, got, c.want)
		}
	}
	await("setpoint", `"value":21.5,`, `"quality":"good"`)
}
