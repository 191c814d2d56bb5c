package paho

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/bridge"
)

// authority is a CA made for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	file string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	der, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.key, a.cert = key, cert
	a.file = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) sign(c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, parentKey := a.cert, a.key
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue makes a certificate and its key, as files.
func (a *authority) issue(name string, c *x509.Certificate) (cert, key string) {
	c.Subject.CommonName = name
	der, priv := a.sign(c)
	keyDER, err := x509.MarshalECPrivateKey(priv)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "EC PRIVATE KEY", keyDER)
}

// TestTLS: the server must be the one that the CA and the address say, or there is no connection, and never a plain one.
func TestTLS(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	certFile, keyFile := ours.issue("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	edgeCert, edgeKey := ours.issue("edge", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ours.cert)
	server := func(c *tls.Config) string {
		u := script(t, func(raw net.Conn) {
			conn := tls.Server(raw, c)
			if conn.Handshake() == nil {
				greet(conn)
				_, _ = io.Copy(io.Discard, conn)
			}
		})
		return "mqtts://" + u.Host
	}
	plain := server(&tls.Config{Certificates: []tls.Certificate{pair}})
	mutual := server(&tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12})
	old := server(&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	for _, c := range []struct {
		name, url string
		tls       bridge.TLS
		says      string // empty: it connects
	}{
		{"right CA", plain, bridge.TLS{CA: ours.file}, ""},
		{"wrong CA", plain, bridge.TLS{CA: other.file}, "unknown authority"},
		{"the system's CAs", plain, bridge.TLS{}, "unknown authority"},
		{"wrong name", strings.Replace(plain, "127.0.0.1", "localhost", 1), bridge.TLS{CA: ours.file}, "localhost"},
		{"with a certificate of one's own", mutual, bridge.TLS{CA: ours.file, Cert: edgeCert, Key: edgeKey}, ""},
		{"without it", mutual, bridge.TLS{CA: ours.file}, "remote error: tls"},
		{"TLS 1.1", old, bridge.TLS{CA: ours.file}, "protocol version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := bridge.DefaultConfig()
			conf.Name, conf.URLs, conf.TLS = "cloud", []string{c.url}, c.tls
			q := newDisk().open()
			u, err := bridge.New(conf, bridge.Options{ID: "gw", Queue: q, Bus: deafBus{}, Dial: Dialer(nil)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			p := &process{q: q, u: u, cancel: cancel}
			p.ended.Go(func() {
				if err := u.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			defer p.stop()
			eventually(t, 10*time.Second, "an outcome", func() bool { s := u.Stats(); return s.Connects > 0 || s.Failures > 0 })
			if s := u.Stats(); (s.Connects > 0) != (c.says == "") || !strings.Contains(s.Error, c.says) {
				t.Errorf("%+v; want %q", s, c.says)
			}
		})
	}
}
