package client

import (
	"crypto/tls"
	"crypto/x509"
	"math"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

func TestBadAddresses(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:1883", "localhost", "mqtt://", "mqtt://:1883", "http://127.0.0.1", "ws://127.0.0.1/mqtt", "mqtt://127.0.0.1/path", "mqtt://[::1", "mqtt://127.0.0.1:port"} {
		if _, err := Dial(soon(t), Options{URL: url}); err == nil || !strings.Contains(err.Error(), "mqtt://host:port") {
			t.Errorf("%q: got %v; want an error that says what to write", url, err)
		}
	}
	if _, err := Dial(soon(t), Options{URL: "mqtt://user:secret@127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), "user name") {
		t.Errorf("got %v; want an error about the user name in the address", err)
	}
	for _, url := range []string{"mqtt://user:secret@127.0.0.1:1", "mqtt://user:sec ret@127.0.0.1", "mqtt://user:secret%@127.0.0.1"} {
		if _, err := Dial(soon(t), Options{URL: url}); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec ret") {
			t.Errorf("%q: got %v; want an error without the password", url, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	for in, want := range map[time.Duration]time.Duration{0: time.Minute, -1: 0, 1: time.Second, time.Second: time.Second, 1001 * time.Millisecond: 2 * time.Second, math.MaxInt64: 65535 * time.Second} {
		if o := (Options{KeepAlive: in, Buffer: -1}).withDefaults(); o.KeepAlive != want || o.Buffer != 0 || o.Version != mqtt.V311 || o.MaxPacket != defaultMaxPacket {
			t.Errorf("%v: got %+v", in, o)
		}
	}
	for v, clean := range map[mqtt.Version]bool{mqtt.V31: true, mqtt.V311: true, mqtt.V5: false} {
		if c := (Options{Version: v}).connect(); c.CleanStart != clean {
			t.Errorf("%v without a client id: clean start is %v", v, c.CleanStart)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	if _, err := Dial(soon(t), Options{URL: "mqtt://" + address}); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v; want an error that names the address", err)
	}
}

// accept answers one CONNECT on l.
func accept(t *testing.T, l net.Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return // nobody came
		}
		defer nc.Close()
		p := &peer{Conn: NewConn(nc, Options{}), t: t}
		if _, err := p.Receive(soon(t)); err != nil {
			return // the client did not trust the certificate
		}
		p.send(&mqtt.Connack{})
		p.expectRest(mqtt.DISCONNECT)
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mqtt.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	accept(t, l)
	c, err := Dial(soon(t), Options{URL: "unix://" + path})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Disconnect(mqtt.Success); err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(nil) // for its certificate
	defer s.Close()
	listen := func() string {
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates})
		if err != nil {
			t.Fatal(err)
		}
		accept(t, l)
		return l.Addr().String()
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	for _, scheme := range []string{"mqtts", "ssl", "tls"} {
		c, err := Dial(soon(t), Options{URL: scheme + "://" + listen(), TLS: &tls.Config{RootCAs: roots}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Disconnect(mqtt.Success); err != nil {
			t.Error(err)
		}
	}
	for what, config := range map[string]*tls.Config{"unknown issuer": nil, "wrong name": {RootCAs: roots, ServerName: "other.test"}} {
		if c, err := Dial(soon(t), Options{URL: "mqtts://" + listen(), TLS: config}); err == nil {
			t.Errorf("%s: connected", what)
			c.Close()
		}
	}
}
