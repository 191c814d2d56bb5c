package clients

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/edged/edged/test/peers"
)

// dir holds the binary, the certificate and the socket; its path is short, since that of a socket has at most 107 bytes.
var dir string

// js runs the clients of MQTT.js.
var js *node

func TestMain(m *testing.M) {
	code, err := prepareAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepareAndRun(m *testing.M) (code int, err error) {
	if dir, err = os.MkdirTemp("", "c"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	for _, c := range []*exec.Cmd{
		exec.Command("go", "build", "-o", in("edged"), "./cmd/edged"),
		exec.Command("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"),
	} {
		c.Dir, c.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
		if c.Args[0] == "npm" {
			c.Dir = "mqttjs"
		}
		if out, err := c.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%v: %w\n%s", c, err, out)
		}
	}
	if err := certify(in("server.pem"), in("server.key")); err != nil {
		return 0, err
	}
	if js, err = startNode(); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, js.stop()
}

func in(name string) string { return filepath.Join(dir, name) }

// certify writes a certificate for 127.0.0.1 that vouches for itself.
func certify(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

// startEdged runs edged with every kind of listener and returns their URLs by scheme.
func startEdged(t *testing.T) map[string]string {
	t.Helper()
	urls := map[string]string{"unix": "unix://" + in("mqtt.sock")}
	for scheme, path := range map[string]string{"mqtt": "", "mqtts": "", "ws": "/mqtt", "wss": "/mqtt"} {
		urls[scheme] = fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, peers.FreePort(t), path)
	}
	conf := fmt.Sprintf("id: gw-01\ndata_dir: %s\nbroker:\n  listeners:\n", t.TempDir())
	for scheme, url := range urls {
		conf += "    - url: " + url + "\n"
		if scheme == "mqtts" || scheme == "wss" {
			conf += "      tls: {cert: server.pem, key: server.key}\n"
		}
	}
	if err := os.WriteFile(in("edged.yaml"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	edged := peers.Start(t, "edged", in("edged"), "run", "-c", in("edged.yaml"))
	for from, n := 0, 0; n < len(urls); n++ {
		_, from = edged.Line(t, from, "edged listens on ")
	}
	return urls
}
