package peer

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMosquittoStartsIsReadAndStops(t *testing.T) {
	b, err := Mosquitto().Start(t.Context(), 0, Need{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if cpu, err := b.CPU(); err != nil || cpu <= 0 || cpu > time.Minute {
		t.Errorf("CPU %v, %v", cpu, err)
	}
	if n, err := b.Memory(); err != nil || n < 100_000 || n > 100_000_000 {
		t.Errorf("memory %d, %v", n, err)
	}
	if status, err := os.ReadFile("/proc/" + strconv.Itoa(b.cmd.Process.Pid) + "/status"); err != nil || !strings.Contains(string(status), "Cpus_allowed_list:\t0\n") {
		t.Errorf("not on core 0: %v\n%s", err, status)
	}
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	if err := b.Stop(); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
	if _, err := net.Dial("tcp", b.Addr()); err == nil {
		t.Error("it still listens")
	}
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		t.Errorf("its directory is left: %v", err)
	}
}

func TestABrokerThatDoesNotStartSaysWhy(t *testing.T) {
	script := filepath.Join(t.TempDir(), "broker")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho the port is haunted\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	k := Kind{Name: "haunted", Binary: script, command: func(string, int, Need) ([]string, error) { return nil, nil }}
	if _, err := k.Start(t.Context(), -1, Need{}); err == nil || !strings.Contains(err.Error(), "the port is haunted") {
		t.Errorf("%v; want what it said", err)
	}
	k.Binary = filepath.Join(t.TempDir(), "absent")
	if _, err := k.Start(t.Context(), -1, Need{}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v; want no such file", err)
	}
}

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	args, err := Edged("/x/edged").command(dir, 4711, Need{Waiting: 300_000})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(args[len(args)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`url: "mqtt://127.0.0.1:4711"`, "queue_messages: 300000", "sync: always"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("edged's configuration has no %q:\n%s", want, text)
		}
	}
	if args, _ := Mochi("/x/mochi").command(dir, 4711, Need{}); strings.Join(args, " ") != "-listen 127.0.0.1:4711" {
		t.Errorf("mochi: %q", args)
	}
	if args, _ := Mochi("/x/mochi").command(dir, 4711, Need{Waiting: 5}); strings.Join(args, " ") != "-listen 127.0.0.1:4711 -waiting 5" {
		t.Errorf("mochi: %q", args)
	}
}

func TestCPUCountsWork(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		after, err := CPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after-before > 5*time.Millisecond {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("CPU went from %v to %v in ten busy seconds", before, after)
		}
	}
}

func TestUsageOfNobody(t *testing.T) {
	const nobody = 1 << 22 // above the kernel's largest process id
	if _, err := CPU(nobody); err == nil {
		t.Error("CPU: no error")
	}
	if _, err := Memory(nobody); err == nil {
		t.Error("Memory: no error")
	}
}

func TestPSS(t *testing.T) {
	if n, err := pss([]byte("Rss:  9 kB\nPss:    12 kB\nPss_Anon: 7 kB\n"), "x"); n != 12<<10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := pss([]byte("Rss: 9 kB\n"), "x"); err == nil {
		t.Error("no error without the line")
	}
}

func TestRaiseFiles(t *testing.T) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	if err := RaiseFiles(100); err != nil {
		t.Errorf("100 files: %v", err)
	}
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil || now.Cur < l.Cur {
		t.Errorf("lowered from %d to %d, %v", l.Cur, now.Cur, err)
	}
	if err := RaiseFiles(1 << 40); err == nil { // more than fs.nr_open allows
		t.Error("2^40 files: no error")
	}
}
