package broker_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// socketFile is a path short enough for a socket.
func socketFile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "mqtt.sock")
}

func dialUnix(t *testing.T, path string) net.Conn {
	t.Helper()
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func TestUnixSocket(t *testing.T) {
	path := socketFile(t)
	// What a process leaves that died.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	r := brokertest.Start(t, listeners(broker.Listener{URL: "unix://" + path}))
	if got := r.URLs()[0]; got != "unix://"+path {
		t.Error(got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v; want mode 0660", info.Mode(), err)
	}
	p := connectOver(t, dialUnix(t, path), simple("a"))
	exchange(t, p)
	b, err := broker.New(broker.Config{Listeners: []broker.Listener{{URL: "unix://" + path}}, Anonymous: broker.Loopback, Limits: broker.DefaultLimits()}, broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second broker on the same socket: %v", err)
	}
	p.quiet()
	r.Stop(t)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file stays after the stop: %v", err)
	}
}

func TestUnixSocketModeAndOtherFiles(t *testing.T) {
	path := socketFile(t)
	brokertest.Start(t, listeners(broker.Listener{URL: "unix://" + path, Mode: 0o600}))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info.Mode(), err)
	}
	file := socketFile(t)
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := broker.DefaultConfig()
	cfg.Listeners = []broker.Listener{{URL: "unix://" + file}}
	b, err := broker.New(cfg, broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Error(err)
	}
	other := socketFile(t) // of a program that speaks something else
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: other, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg.Listeners[0].URL = "unix://" + other
	if b, err = broker.New(cfg, broker.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "is anybody at") {
		t.Error(err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("its socket is gone: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("%q, %v", text, err)
	}
}

func proxyHeader(client string) string {
	host, port, _ := net.SplitHostPort(client)
	return fmt.Sprintf("PROXY TCP4 %s 192.0.2.9 %s 1883\r\n", host, port)
}

// TestProxyProtocol: the client's address is the one that the proxy tells, and never the proxy's own.
func TestProxyProtocol(t *testing.T) {
	var log logBuffer
	start := func(policy broker.Policy) *brokertest.Running {
		return brokertest.Start(t, log.option(), listeners(broker.Listener{URL: "mqtt://127.0.0.1:0", ProxyProtocol: true}), brokertest.Config(func(c *broker.Config) {
			c.Anonymous, c.Limits.ConnectionsPerAddress = policy, 3
		}))
	}
	careful, tolerant := start(broker.Loopback), start(broker.Always)
	for _, c := range []struct {
		header            string
		careful, tolerant mqtt.ReasonCode
	}{
		{proxyHeader("127.0.0.1:77"), mqtt.Success, mqtt.Success},
		{proxyHeader("198.51.100.7:77"), mqtt.NotAuthorized, mqtt.Success},
		{"PROXY UNKNOWN\r\n", mqtt.NotAuthorized, mqtt.Success},
		{"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", mqtt.NotAuthorized, mqtt.Success},
	} {
		for _, r := range []*brokertest.Running{careful, tolerant} {
			want := c.careful
			if r == tolerant {
				want = c.tolerant
			}
			nc := dialTCP(t, r)
			fmt.Fprint(nc, c.header)
			p := connectOver(t, nc, simple("a"))
			if p.ack.Code != want {
				t.Errorf("%q: CONNACK %v, want %v", c.header, p.ack.Code, want)
			}
			if want == mqtt.Success {
				exchange(t, p)
			}
		}
	}
	eventually(t, "the log names the client's address", func() bool { return log.has("remote=198.51.100.7:77") })
	// Each address that the proxy tells has its own bound; the proxy has none.
	for i := range 12 {
		nc := dialTCP(t, tolerant)
		fmt.Fprint(nc, proxyHeader(fmt.Sprintf("198.51.100.%d:1", 10+i/3)))
		if p := connectOver(t, nc, simple(fmt.Sprint("many", i))); p.ack.Code != mqtt.Success {
			t.Fatalf("connection %d: %v", i, p.ack.Code)
		}
	}
	nc := dialTCP(t, tolerant)
	hello := simple("one more")
	nc.Write(append([]byte(proxyHeader("198.51.100.10:9")), packets(t, &hello)...))
	(&peer{t: t, nc: nc, v: mqtt.V5}).expectEnd(0)
	eventually(t, "the log names the limit", func() bool { return log.has("connections_per_address") })
}

func TestProxyProtocolMissingOrUnasked(t *testing.T) {
	var log logBuffer
	hello := simple("x")
	r := brokertest.Start(t, log.option(), listeners(broker.Listener{URL: "mqtt://127.0.0.1:0", ProxyProtocol: true}))
	for _, bytes := range [][]byte{packets(t, &hello), []byte("PROXY TCP4 nonsense\r\n"), []byte("PROXY " + strings.Repeat("x", 1000))} {
		nc := dialTCP(t, r)
		nc.Write(bytes)
		(&peer{t: t, nc: nc, v: mqtt.V5}).expectEnd(0)
	}
	eventually(t, "the log names the setting", func() bool { return log.has("proxy_protocol asks for one") })
	plain := brokertest.Start(t)
	nc := dialTCP(t, plain)
	nc.Write(append([]byte(proxyHeader("127.0.0.1:1")), packets(t, &hello)...))
	(&peer{t: t, nc: nc, v: mqtt.V5}).expectEnd(0)
	if got := plain.Stats().Sessions; got != 0 {
		t.Errorf("%d sessions", got)
	}
}
