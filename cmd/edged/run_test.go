package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/configs"
	"github.com/edged/edged/internal/client"
)

func TestStoppedWaitsForTheEnd(t *testing.T) {
	ended, signals := make(chan error, 1), make(chan os.Signal, 2)
	signals <- syscall.SIGHUP // is no reason to hurry
	want := errors.New("the store did not close")
	ended <- want
	if err := stopped(ended, signals); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGHUP
	signals <- syscall.SIGTERM
	if err := stopped(make(chan error), signals); err == nil || !strings.Contains(err.Error(), "second signal") {
		t.Errorf("got %v", err)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{io.EOF, exitFailed},
		{usage(io.EOF), exitUsage},
		{explain(configs.Errors{{Problem: "x"}}), exitConfig},
		{&client.CodeError{Packet: mqtt.PUBACK, Code: mqtt.NotAuthorized}, exitForbidden},
		{&client.CodeError{Packet: mqtt.CONNACK, Code: mqtt.BadUserNameOrPassword}, exitForbidden},
		{&client.CodeError{Packet: mqtt.SUBACK, Code: mqtt.UnspecifiedError}, exitFailed},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}

func TestFindFile(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("EDGED_CONFIG", "")
	if _, err := os.Stat("/etc/edged/edged.yaml"); err != nil {
		if got, err := findFile(""); got != "" || err != nil {
			t.Errorf("nothing there: got %q, %v", got, err)
		}
	}
	if err := os.WriteFile("edged.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ flag, env, want string }{{"", "", "edged.yaml"}, {"", "e.yaml", "e.yaml"}, {"f.yaml", "e.yaml", "f.yaml"}} {
		t.Setenv("EDGED_CONFIG", c.env)
		if got, err := findFile(c.flag); got != c.want || err != nil {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
}

func TestPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte("from file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, env, in, want string }{
		{"", "", "", ""},
		{"", "from env", "", "from env"},
		{file, "from env", "", "from file"},
		{"-", "from env", "from stdin\nnext line", "from stdin"},
		{"-", "", "no line end", "no line end"},
	} {
		t.Setenv("EDGED_PASSWORD", c.env)
		in := bytes.NewBufferString(c.in)
		got, err := (&connectFlags{passwordFile: c.file}).password(in)
		if string(got) != c.want || err != nil {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
		if c.file == "-" && !strings.HasSuffix(c.in, in.String()) {
			t.Errorf("what follows the password must stay unread, %q is left", in)
		}
	}
	for _, f := range []connectFlags{{passwordFile: "-"}, {passwordFile: file + "none"}} {
		if _, err := f.password(strings.NewReader("")); codeOf(err) != exitUsage {
			t.Errorf("%q: got %v", f.passwordFile, err)
		}
	}
	if _, err := (&connectFlags{passwordFile: "-"}).password(strings.NewReader(strings.Repeat("x", 70_000))); err == nil {
		t.Error("an endless password: want an error")
	}
}
