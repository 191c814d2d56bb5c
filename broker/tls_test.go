package broker_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// logBuffer is a log that a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), s)
}

func (l *logBuffer) option() brokertest.Option {
	return brokertest.Log(slog.New(slog.NewTextHandler(l, nil)))
}

// listeners replaces the listener of Start.
func listeners(ls ...broker.Listener) brokertest.Option {
	return brokertest.Config(func(c *broker.Config) { c.Listeners = ls })
}

func dialTCP(t *testing.T, r *brokertest.Running) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return nc
}

// connectOver sends CONNECT over a connection that is there, and returns the peer and the answer.
func connectOver(t *testing.T, nc net.Conn, c mqtt.Connect) *peer {
	t.Helper()
	p := &peer{t: t, nc: nc, v: c.Version}
	p.send(&c)
	p.ack = expect[*mqtt.Connack](p)
	return p
}

func simple(id string) mqtt.Connect {
	return mqtt.Connect{Version: mqtt.V5, ClientID: id, CleanStart: true}
}

// exchange proves that a connection carries messages of all sizes both ways.
func exchange(t *testing.T, p *peer) {
	t.Helper()
	if p.ack.Code != mqtt.Success {
		t.Fatalf("CONNACK %v", p.ack.Code)
	}
	p.subscribe(mqtt.Filter{Filter: "x/#", QoS: 1})
	for _, n := range []int{0, 1, 100, 5000, 100_000, 900_000} {
		want := bytes.Repeat([]byte{byte(n)}, n)
		p.send(&mqtt.Publish{Topic: "x/y", QoS: 1, PacketID: 3, Payload: want})
		for range 2 {
			got, err := p.next(patience)
			if err != nil {
				t.Fatal(err)
			}
			switch got := got.(type) {
			case *mqtt.Puback:
			case *mqtt.Publish:
				if !bytes.Equal(got.Payload, want) {
					t.Fatalf("%d bytes came back of %d", len(got.Payload), n)
				}
				p.send(&mqtt.Puback{PacketID: got.PacketID})
			default:
				t.Fatalf("got %#v", got)
			}
		}
	}
	p.quiet()
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("server")
	r := brokertest.Start(t, listeners(broker.Listener{URL: "mqtts://127.0.0.1:0", TLS: broker.TLS{Cert: cert, Key: key}}))
	if !strings.HasPrefix(r.URLs()[0], "mqtts://127.0.0.1:") {
		t.Error(r.URLs())
	}
	nc := tls.Client(dialTCP(t, r), ca.client(""))
	p := connectOver(t, nc, simple("a"))
	exchange(t, p)
	// The reason of an end arrives, and then an orderly end of TLS.
	p.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "a"}}}, &mqtt.Connect{Version: mqtt.V5, ClientID: "again"})
	p.expectEnd(mqtt.ProtocolError)
	old := ca.client("")
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if err := tls.Client(dialTCP(t, r), old).Handshake(); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}

func TestClientCertificates(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue("server")
	for auth, takes := range map[broker.ClientAuth][3]bool{ // none, a good one, one of another authority
		"": {false, true, false}, "require": {false, true, false}, "request": {true, true, false}, "none": {true, true, true},
	} {
		t.Run(string(auth), func(t *testing.T) {
			r := brokertest.Start(t, listeners(broker.Listener{URL: "mqtts://127.0.0.1:0", TLS: broker.TLS{Cert: cert, Key: key, ClientCA: ca.file, ClientAuth: auth}}))
			foreign := ca.client("")
			foreign.Certificates = other.client("mallory").Certificates
			foreign.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &foreign.Certificates[0], nil }
			for i, c := range []*tls.Config{ca.client(""), ca.client("meter"), foreign} {
				nc := tls.Client(dialTCP(t, r), c)
				p := &peer{t: t, nc: nc, v: mqtt.V5}
				connect := simple("x")
				b, err := connect.Append(nil, mqtt.V5)
				if err != nil {
					t.Fatal(err)
				}
				_, err = nc.Write(b)
				if err == nil {
					_, err = p.next(patience)
				}
				if (err == nil) != takes[i] {
					t.Errorf("client %d: %v, want it in: %v", i, err, takes[i])
				}
			}
		})
	}
}

// TestCertificatesAreReadAgain: a new certificate is shown to the next client, a broken one to nobody, and who is connected stays.
func TestCertificatesAreReadAgain(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("server")
	var log logBuffer
	r := brokertest.Start(t, log.option(), listeners(broker.Listener{URL: "mqtts://127.0.0.1:0", TLS: broker.TLS{Cert: cert, Key: key}}))
	stays := connectOver(t, tls.Client(dialTCP(t, r), ca.client("")), simple("stays"))
	serial := func() string {
		nc := tls.Client(dialTCP(t, r), ca.client(""))
		defer nc.Close()
		if err := nc.Handshake(); err != nil {
			t.Fatal(err)
		}
		return nc.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	ca.issue("server")
	eventually(t, "the new certificate is shown", func() bool { return serial() != first })
	second := serial()
	if err := os.WriteFile(cert, []byte("-----BEGIN NONSENSE-----"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log names the broken one", func() bool {
		if serial() != second {
			t.Fatal("another certificate than the last good one")
		}
		return log.has("the changed certificate cannot be used") && log.has(cert)
	})
	ca.issue("server")
	eventually(t, "the mended one is shown", func() bool { return serial() != second })
	exchange(t, stays)
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("server")
	_, otherKey := ca.issue("other")
	_, open := ca.issue("open")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]broker.TLS{
		"broker.listeners[0].tls.cert: stat":              {Cert: cert + "x", Key: key},
		"private key does not match":                      {Cert: cert, Key: otherKey},
		"everybody on this machine may read":              {Cert: cert, Key: open},
		"tls.client_ca: " + key + " holds no certificate": {Cert: cert, Key: key, ClientCA: key},
		"tls.key: " + ca.dir + " is not a file":           {Cert: cert, Key: ca.dir},
	} {
		cfg := broker.DefaultConfig()
		cfg.Listeners = []broker.Listener{{URL: "mqtt://127.0.0.1:0"}, {URL: "mqtts://127.0.0.1:0", TLS: c}}
		if strings.Contains(want, "[0]") {
			cfg.Listeners = cfg.Listeners[1:]
		}
		b, err := broker.New(cfg, broker.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestStalledHandshakes hold up nobody, and end with the time for CONNECT.
func TestStalledHandshakes(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("server")
	files := broker.TLS{Cert: cert, Key: key}
	for url, l := range map[string]broker.Listener{
		"mqtts": {URL: "mqtts://127.0.0.1:0", TLS: files}, "ws": {URL: "ws://127.0.0.1:0"}, "wss": {URL: "wss://127.0.0.1:0", TLS: files},
		"proxy": {URL: "mqtts://127.0.0.1:0", TLS: files, ProxyProtocol: true},
	} {
		t.Run(url, func(t *testing.T) {
			r := brokertest.Start(t, listeners(l), brokertest.Config(func(c *broker.Config) { c.Limits.ConnectTimeout = 300 * time.Millisecond }))
			var stalled []net.Conn
			for i := range 20 {
				nc := dialTCP(t, r)
				nc.Write([]byte("\x16\x03\x01\x02\x00\x01GET / HTTP/1.1\r\nPROXY "[:i])) // and no more
				stalled = append(stalled, nc)
			}
			for _, nc := range stalled {
				if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal("a stalled connection stays")
				}
			}
			eventually(t, "all are forgotten", func() bool { return r.Stats().Connections == 20 && r.Stats().Panics == 0 })
		})
	}
	t.Run("stop", func(t *testing.T) {
		r := brokertest.Start(t, listeners(broker.Listener{URL: "wss://127.0.0.1:0", TLS: files}), brokertest.Config(func(c *broker.Config) { c.Limits.ConnectTimeout = 5 * time.Minute }))
		dialTCP(t, r)
		eventually(t, "it is there", func() bool { return r.Stats().Connections == 1 })
		start := time.Now()
		r.Stop(t)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("a stalled handshake held up the stop for %v", d)
		}
	})
}

// TestIdleOverTLS: the deadline of the keep alive moves on with each packet, and strikes in the end.
func TestIdleOverTLS(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("server")
	r := brokertest.Start(t, listeners(broker.Listener{URL: "mqtts://127.0.0.1:0", TLS: broker.TLS{Cert: cert, Key: key}}))
	c := simple("idle")
	c.KeepAlive = 1
	p := connectOver(t, tls.Client(dialTCP(t, r), ca.client("")), c)
	start := time.Now()
	p.expectEnd(mqtt.KeepAliveTimeout)
	if d := time.Since(start); d < time.Second || d > 5*time.Second {
		t.Errorf("ended after %v; want one and a half seconds", d)
	}
}
