package modbus

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/devices"
)

func TestWriteChoosesTheFunction(t *testing.T) {
	for _, c := range []struct {
		point string
		more  string
		v     any
		want  any
		sent  []string
	}{
		{"register: coil", "", true, true, []string{"050003ff00", "0100030001"}},
		{"register: coil", "", false, false, []string{"0500030000", "0100030001"}},
		{"register: coil, force_multiple: true", "", true, true, []string{"0f000300010101", "0100030001"}},
		{"register: holding", "", int64(258), uint64(258), []string{"0600030102", "0300030001"}},
		{"register: holding", "force_multiple: true", int64(258), uint64(258), []string{"1000030001020102", "0300030001"}},
		{"register: holding, type: float32, order: CDAB", "", 230.5, float32(230.5), []string{"100003000204" + "80004366", "0300030002"}},
		{"register: holding, type: bit, bit: 4", "", true, true, []string{"0300030001", "060003ff1f", "0300030001"}},
		{"register: holding, type: int8-high", "", int64(-1), int64(-1), []string{"0300030001", "060003ff0f", "0300030001"}},
		{"register: holding, type: string, length: 2", "", "abc", "abc", []string{"10000300020461626300", "0300030002"}},
	} {
		s := newServer(t)
		s.setHolding(3, 0xFF0F)
		a := newTestAdapter(t, entry(s, c.more, points("name: p, address: 3, writable: true, "+c.point)))
		r, err := a.Command(t.Context(), devices.Command{Point: "p", Value: c.v})
		if err != nil || r.Value != c.want {
			t.Errorf("%s: %v (%T), %v; want %v (%T)", c.point, r.Value, r.Value, err, c.want, c.want)
		}
		var sent []string
		for _, pdu := range s.requests() {
			sent = append(sent, hex.EncodeToString(pdu))
		}
		if !slices.Equal(sent, c.sent) {
			t.Errorf("%s: sent %v; want %v", c.point, sent, c.sent)
		}
		if a.line.transport.conn != nil {
			t.Error("the connection was left open, and nobody runs to close it")
		}
	}
}

// The answer is what the device holds, not what was asked for.
func TestReadBackIsTheDevices(t *testing.T) {
	s := newServer(t)
	s.setRespond(func(request, reply []byte) ([]byte, bool) {
		if request[7] == 3 {
			return again(reply, []byte{3, 2, 0, 99}), false
		}
		return reply, false
	})
	a := newTestAdapter(t, entry(s, points("name: p, register: holding, address: 0, writable: true")))
	if r, err := a.Command(t.Context(), devices.Command{Point: "p", Value: int64(120)}); err != nil || r.Value != uint64(99) {
		t.Errorf("%v, %v", r, err)
	}
}

// What goes wrong is told apart: nothing happened, it may have, or it has.
func TestWriteFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		point  string
		spoil  func(function byte, reply []byte) []byte
		want   string
		writes int
	}{
		{"no reply", "type: uint16", func(f byte, r []byte) []byte {
			if f == 6 {
				return nil
			}
			return r
		}, "may have executed the command, or not: no reply within", 1},
		{"another address", "type: uint16", func(f byte, r []byte) []byte {
			if f == 6 {
				return changed(r, 9, 1)
			}
			return r
		}, "may have executed the command, or not: the device answered function 6 with another address", 1},
		{"an exception", "type: uint16", func(f byte, r []byte) []byte {
			if f == 6 {
				return again(r, []byte{0x86, 3})
			}
			return r
		}, "nothing was written: modbus: exception '3' (illegal data value)", 1},
		{"busy for ever", "type: uint16", func(f byte, r []byte) []byte {
			if f == 6 {
				return again(r, []byte{0x86, 6})
			}
			return r
		}, "nothing was written: modbus: exception '6'", 2},
		{"no reading back", "type: uint16", func(f byte, r []byte) []byte {
			if f == 3 {
				return nil
			}
			return r
		}, "was executed, but could not be read back", 1},
		{"bad reading back", "type: uint16, nan: [0x7]", func(f byte, r []byte) []byte {
			if f == 3 {
				return again(r, []byte{3, 2, 0, 7})
			}
			return r
		}, "was executed, but what was read back is bad", 1},
		{"no reading before", "type: bit, bit: 1", func(f byte, r []byte) []byte {
			if f == 3 {
				return nil
			}
			return r
		}, "nothing was written, because the register could not be read first", 0},
	} {
		s := newServer(t)
		s.setRespond(func(request, reply []byte) ([]byte, bool) { return c.spoil(request[7], reply), false })
		a := newTestAdapter(t, entry(s, "timeout: 100ms", "busy_retries: 1", points("name: p, register: holding, address: 0, writable: true, "+c.point)))
		r, err := a.Command(t.Context(), devices.Command{Point: "p", Value: int64(1)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", c.name, r, err, c.want)
		}
		writes := 0
		for _, pdu := range s.requests() {
			if pdu[0] == 6 {
				writes++
			}
		}
		if writes != c.writes {
			t.Errorf("%s: written %d times; want %d", c.name, writes, c.writes)
		}
	}
	s := newServer(t)
	a := newTestAdapter(t, entry(s, points("name: p, register: holding, address: 0, writable: true")))
	s.stop()
	if _, err := a.Command(t.Context(), devices.Command{Point: "p", Value: int64(1)}); err == nil || !strings.Contains(err.Error(), "nothing was written: ") {
		t.Errorf("without a server: %v", err)
	}
}

// A device that closed its idle connection gets the write over a new one, once.
func TestWriteAfterTheDeviceHungUp(t *testing.T) {
	s := newServer(t)
	a, round := polling(t, entry(s, points("name: p, register: holding, address: 0, writable: true")))
	for range 20 {
		round()
		s.hangUp()
		s.requests()
		if r, err := a.Command(t.Context(), devices.Command{Point: "p", Value: int64(5)}); err != nil || r.Value != uint64(5) {
			t.Fatalf("%v, %v", r, err)
		}
		if sent := requestsOf(s.requests()); len(sent) != 2 {
			t.Fatalf("sent %v", sent)
		}
	}
}

// A command does not wait for the end of a poll, only for the request that is on its way.
func TestWriteOvertakesThePoll(t *testing.T) {
	s := newServer(t)
	var ps []string
	for _, at := range []string{"0", "1000", "2000", "3000", "4000", "5000", "6000", "7000", "8000", "9000"} {
		ps = append(ps, "name: p"+at+", register: holding, writable: true, address: "+at)
	}
	a := newTestAdapter(t, entry(s, "every: 1h", "timeout: 5s", points(ps...)))
	reading := make(chan struct{}, len(ps))
	s.setRespond(func(request, reply []byte) ([]byte, bool) {
		if request[7] == 3 {
			reading <- struct{}{}
			<-time.After(10 * time.Millisecond) // a slow device
		}
		return reply, false
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx, func(...devices.Event) error { cancel(); return nil }) }()
	<-reading
	if _, err := a.Command(ctx, devices.Command{Point: "p9000", Value: int64(1)}); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	sent := requestsOf(s.requests())
	if at := slices.Index(sent, "6:9000+1"); at < 1 || at > 7 || len(sent) != 12 {
		t.Errorf("the write was number %d of %v", at, sent)
	}
}

func TestCommandGivesUpWithItsContext(t *testing.T) {
	s := newServer(t)
	s.setRespond(func(_, _ []byte) ([]byte, bool) { return nil, false })
	a := newTestAdapter(t, entry(s, "timeout: 1m", points("name: p, register: holding, address: 0, writable: true")))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := a.Command(ctx, devices.Command{Point: "p", Value: int64(1)}); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
