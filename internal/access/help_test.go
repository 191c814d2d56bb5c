package access

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
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

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) count(s string) int { return strings.Count(l.String(), s) }

func write(t testing.TB, path, text string) string {
	t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.TempDir(), path)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// line is a user's line with a cheap hash.
func line(t testing.TB, name, password string) string {
	t.Helper()
	h, err := newHash([]byte(password), 3)
	if err != nil {
		t.Fatal(err)
	}
	return name + ":" + h.String() + "\n"
}

func open(t testing.TB, cfg Config) (*Access, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	a, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return a, log
}

func from(address string) net.Addr {
	ip, port, _ := net.SplitHostPort(address)
	if port == "" {
		ip = address
	}
	return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1234}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func login(t testing.TB, a *Access, address, user, password string) error {
	t.Helper()
	id, err := a.Authenticate(soon(t), Request{Remote: from(address), ClientID: "c", Username: user, Password: []byte(password)})
	if err == nil && id.User != user {
		t.Fatalf("%s is taken for %q", user, id.User)
	}
	if err != nil && id != (Identity{}) {
		t.Fatalf("an identity, %v, came with the error %v", id, err)
	}
	return err
}
