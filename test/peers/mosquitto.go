package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Mosquitto is the cloud's broker. Its sessions survive its own death only through its file, as in the field.
type Mosquitto struct {
	*Process
	// Port is that of its listener on 127.0.0.1, the same after a restart.
	Port int
	conf string
}

// StartMosquitto runs mosquitto with a persistence file, which it writes when it is stopped in order.
func StartMosquitto(t testing.TB) *Mosquitto {
	t.Helper()
	m := &Mosquitto{Port: FreePort(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nmax_queued_messages 0\nmax_inflight_messages 1000\nuser root\nset_tcp_nodelay true\n",
		m.Port, filepath.Dir(m.conf))
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.Start(t)
	return m
}

// Start runs mosquitto and waits until it listens.
func (m *Mosquitto) Start(t testing.TB) {
	t.Helper()
	m.Process = Start(t, "mosquitto", "/usr/sbin/mosquitto", "-c", m.conf)
	AwaitPort(t, m.Process, m.Port)
}

// Stop ends mosquitto in order, so that it saves its sessions.
func (m *Mosquitto) Stop(t testing.TB) {
	t.Helper()
	m.Signal(t, syscall.SIGTERM)
	if err := m.Wait(t); err != nil {
		t.Fatalf("mosquitto: %v", err)
	}
}
