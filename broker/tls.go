package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edged/edged"
)

// TLS names the PEM files of an mqtts or wss listener. They are looked at when somebody connects, at most once a second,
// and read again when one has changed; connections that are open stay. While the new ones are broken, the old ones count.
type TLS struct {
	// Cert and Key are the server's certificate, with its chain, and its private key, which nobody but edged's user
	// and group may read.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA holds the certificates that those of clients must come from.
	ClientCA string `yaml:"client_ca"`
	// ClientAuth says whether clients must show one; empty: require where there is a ClientCA, none otherwise.
	ClientAuth ClientAuth `yaml:"client_auth"`
}

// ClientAuth says what is asked of clients.
type ClientAuth string

// What can be asked of clients.
const (
	// NoClientAuth asks for no certificate.
	NoClientAuth ClientAuth = "none"
	// RequestClientAuth takes clients without a certificate, but none with a wrong one.
	RequestClientAuth ClientAuth = "request"
	// RequireClientAuth takes only clients with a certificate.
	RequireClientAuth ClientAuth = "require"
)

func (t TLS) check(key string) (errs []error) {
	bad := func(below, format string, args ...any) {
		errs = append(errs, edged.BadKey(key+below, format, args...))
	}
	switch {
	case t.Cert == "" && t.Key == "":
		bad("", "missing; name the PEM files of the server's certificate and private key: tls: {cert: server.pem, key: server.key}")
	case t.Cert == "":
		bad(".cert", "missing; name the PEM file of the certificate that belongs to %s", t.Key)
	case t.Key == "":
		bad(".key", "missing; name the PEM file of the private key that belongs to %s", t.Cert)
	}
	switch t.ClientAuth {
	case "", NoClientAuth:
	case RequestClientAuth, RequireClientAuth:
		if t.ClientCA == "" {
			bad(".client_ca", "missing; name the PEM file of those who may sign the clients' certificates")
		}
	default:
		bad(".client_auth", "%q is not known; use none, request or require", t.ClientAuth)
	}
	return errs
}

func (t TLS) asks() tls.ClientAuthType {
	switch {
	case t.ClientAuth == RequestClientAuth:
		return tls.VerifyClientCertIfGiven
	case t.ClientAuth == RequireClientAuth, t.ClientAuth == "" && t.ClientCA != "":
		return tls.RequireAndVerifyClientCert
	}
	return tls.NoClientCert
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

// certificates hold the files of a TLS as they were last read well.
type certificates struct {
	cfg     TLS
	log     *slog.Logger
	current atomic.Pointer[tls.Config]

	mu     sync.Mutex    // the rest; whoever finds it locked uses the current ones
	seen   []fs.FileInfo // of the files that current was made of
	looked time.Time
	fault  string // what was wrong the last time, so that it is logged once
}

func openTLS(cfg TLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{cfg: cfg, log: log, looked: time.Now()}
	current, seen, err := c.read()
	c.current.Store(current)
	c.seen = seen
	return c, err
}

func (t TLS) files() []string {
	if t.ClientCA == "" {
		return []string{t.Cert, t.Key}
	}
	return []string{t.Cert, t.Key, t.ClientCA}
}

// config is what the next handshake uses.
func (c *certificates) config() *tls.Config {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		if now := time.Now(); now.Sub(c.looked) >= lookEvery {
			c.looked = now
			c.look()
		}
	}
	return c.current.Load()
}

// look reads the files again if one has changed.
func (c *certificates) look() {
	if c.same() {
		return
	}
	next, seen, err := c.read()
	if err != nil {
		if c.fault != err.Error() {
			c.fault = err.Error()
			c.log.Error("the changed certificate cannot be used; the one read before stays", "cert", c.cfg.Cert, "error", err)
		}
		return // and looked at again: key and certificate are seldom replaced in one step
	}
	c.current.Store(next)
	c.seen, c.fault = seen, ""
	c.log.Info("certificate read again", "cert", c.cfg.Cert)
}

func (c *certificates) same() bool {
	for i, path := range c.cfg.files() {
		info, err := os.Stat(path)
		if err != nil || !os.SameFile(info, c.seen[i]) || info.Size() != c.seen[i].Size() || !info.ModTime().Equal(c.seen[i].ModTime()) {
			return false
		}
	}
	return true
}

// read makes a configuration of the files. Versions below TLS 1.2 are refused. Where clients are asked for certificates,
// no session is resumed: each connection is judged by the certificates of those who may sign, as they are now.
func (c *certificates) read() (*tls.Config, []fs.FileInfo, error) {
	var text [3][]byte
	seen := make([]fs.FileInfo, 3)
	for i, path := range c.cfg.files() {
		var err error
		if text[i], seen[i], err = readPEM(path, i == 1); err != nil {
			return nil, nil, fmt.Errorf("tls.%s: %w", [...]string{"cert", "key", "client_ca"}[i], err)
		}
	}
	pair, err := tls.X509KeyPair(text[0], text[1])
	if err != nil {
		return nil, nil, fmt.Errorf("tls.cert %s and tls.key %s: %w", c.cfg.Cert, c.cfg.Key, err)
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: c.cfg.asks()}
	if cfg.ClientAuth != tls.NoClientCert {
		cfg.SessionTicketsDisabled = true
		cfg.ClientCAs = x509.NewCertPool()
		if !cfg.ClientCAs.AppendCertsFromPEM(text[2]) {
			return nil, nil, fmt.Errorf("tls.client_ca: %s holds no certificate; it must be a PEM file with -----BEGIN CERTIFICATE-----", c.cfg.ClientCA)
		}
	}
	return cfg, seen, nil
}

// readPEM reads a file, of which it wants to be a file, and a secret one not to be everybody's.
func readPEM(path string, secret bool) ([]byte, fs.FileInfo, error) {
	const most = 4 << 20
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() { // a pipe could be waited for
		return nil, nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	if mode := info.Mode().Perm(); secret && mode&0o007 != 0 {
		return nil, nil, fmt.Errorf("everybody on this machine may read or change %s (mode %04o); do chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(text) > most {
		err = errors.New(path + " is too long for certificates")
	}
	return text, info, err
}
