package scenario

import (
	"context"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/edged/edged/bench/peer"
)

// inside is a real broker in this process; its usage is that of the whole test.
type inside struct{ addr string }

func (b inside) Addr() string                { return b.addr }
func (b inside) CPU() (time.Duration, error) { return peer.CPU(os.Getpid()) }
func (b inside) Memory() (int64, error)      { return peer.Memory(os.Getpid()) }

func startInside(t *testing.T) inside {
	t.Helper()
	server := mqtt.New(&mqtt.Options{Capabilities: mqtt.NewDefaultServerCapabilities(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		t.Fatal(err)
	}
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := server.AddListener(tcp); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return inside{addr: tcp.Address()}
}

func tiny() Scale {
	return Scale{
		Warm: 20 * time.Millisecond, Measure: 100 * time.Millisecond, Settle: time.Millisecond,
		Pairs: 3, Fan: 20, Idle: 30, Rate: 500, Retained: 200, Offline: 200, Subscriptions: []int{200, 400},
	}
}

func TestEachScenarioMeasures(t *testing.T) {
	want := map[string]int{"qos0": 6, "qos1": 6, "qos2": 6, "fanout": 4, "fanin": 4, "idle": 2, "retained": 3, "subscriptions": 5, "offline": 5}
	for _, s := range All() {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		metrics, err := s.Run(ctx, startInside(t), tiny())
		cancel()
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if len(metrics) != want[s.Name] {
			t.Errorf("%s: %d metrics, want %d: %+v", s.Name, len(metrics), want[s.Name], metrics)
		}
		names := map[string]bool{}
		for _, m := range metrics {
			if names[m.Name] {
				t.Errorf("%s: two metrics %q", s.Name, m.Name)
			}
			names[m.Name] = true
			// Memory may shrink in a test this small, and order is mochi's affair.
			if small := m.Unit == "KB" || m.Unit == "msg"; math.IsNaN(m.Value) || math.IsInf(m.Value, 0) || (m.Value <= 0 && !small) {
				t.Errorf("%s: %s is %v %s", s.Name, m.Name, m.Value, m.Unit)
			}
		}
	}
}

func TestEachScenarioFailsWithoutABroker(t *testing.T) {
	for _, s := range All() {
		metrics, err := s.Run(t.Context(), inside{addr: "127.0.0.1:1"}, tiny())
		if err == nil || !strings.Contains(err.Error(), "refused") || len(metrics) > 0 {
			t.Errorf("%s: %+v, %v; want connection refused", s.Name, metrics, err)
		}
	}
}

func TestUsage(t *testing.T) {
	at := time.Now()
	u := usage{marks: []reading{{at, time.Second, 100}, {at.Add(2 * time.Second), 3 * time.Second, 1100}}}
	m, err := u.between("x: ")
	if err != nil || m[0].Value != 500 || m[1].Value != 2000 || m[0].Name != "x: throughput" {
		t.Errorf("%+v, %v; want 500 msg/s and 2000 µs", m, err)
	}
	u.marks[1].delivered = 100
	if _, err := u.between(""); err == nil {
		t.Error("no error, though nothing was delivered")
	}
}
