package bridge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
	return path
}

func TestPassword(t *testing.T) {
	for _, c := range []struct {
		name, content string
		mode          os.FileMode
		want, problem string
	}{
		{"plain", "secret", 0o600, "secret", ""},
		{"newline", "secret\n", 0o640, "secret", ""},
		{"windows newline", "se cret \r\n", 0o400, "se cret ", ""},
		{"empty", "\n", 0o600, "", "is empty"},
		{"world-readable", "secret", 0o644, "", "chmod 600"},
		{"world-writable", "secret", 0o602, "", "chmod 600"},
		{"huge", strings.Repeat("x", maxSecret+1), 0o600, "", "no key or password"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Config{PasswordFile: write(t, "pw", c.content, c.mode)}.password()
			if got != c.want || (err == nil) != (c.problem == "") {
				t.Errorf("got %q, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.problem) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("%v: want %q and no secret", err, c.problem)
			}
		})
	}
	if _, err := (Config{PasswordFile: t.TempDir()}).password(); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := (Config{PasswordFile: "/nowhere/pw"}).password(); err == nil {
		t.Error("a missing file has no error")
	}
	if p, err := (Config{}).password(); p != "" || err != nil {
		t.Errorf("none: %q, %v", p, err)
	}
}

func TestTLSFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		t    TLS
		says string
	}{
		{"no CA file", TLS{CA: "/nowhere.pem"}, "tls.ca"},
		{"CA without certificates", TLS{CA: write(t, "ca.pem", "\ufeffhello", 0o644)}, "holds no certificate"},
		{"no cert file", TLS{Cert: "/nowhere.pem", Key: "k"}, "tls.cert"},
		{"key for all to read", TLS{Cert: write(t, "c.pem", "x", 0o644), Key: write(t, "k.pem", "x", 0o644)}, "chmod 600"},
		{"no key in it", TLS{Cert: write(t, "c.pem", "x", 0o644), Key: write(t, "k.pem", "x", 0o600)}, "tls.key"},
	} {
		if _, err := c.t.config("host"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", c.name, err, c.says)
		}
	}
	conf, err := TLS{}.config("host")
	if err != nil || conf.MinVersion != 0x0303 || conf.ServerName != "host" || conf.InsecureSkipVerify {
		t.Errorf("without files: %+v, %v", conf, err)
	}
}
