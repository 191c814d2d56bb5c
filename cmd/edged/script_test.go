package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The program is tested as a program: each script of testdata/script runs edged as a user would.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"edged": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector's runs would wait a second each
			e.Values[serverKey{}] = new(server)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode": exitCode, "serve": serve, "logged": logged, "signal": sendSignal, "stop": stop, "refuser": refuser, "notified": notified, "listen-notify": listenNotify,
		},
	})
}

// patience bounds every wait; it passes only when something is broken.
const patience = 20 * time.Second

// exitCode N ARGS... runs edged and wants that exit code. Its output is in the files out and err.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N ARGS...")
	}
	var out, errs bytes.Buffer
	cmd := command(ts, args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if in, err := os.Open(ts.MkAbs("in")); err == nil {
		defer func() { _ = in.Close() }()
		cmd.Stdin = in
	}
	err := cmd.Run()
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), errs.Bytes(), 0o600))
	ts.Logf("[stdout]\n%s[stderr]\n%s", out.Bytes(), errs.Bytes())
	if got := cmd.ProcessState.ExitCode(); got != map[string]int{"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6}[args[0]] {
		ts.Fatalf("edged %s: exit code %d, want %s (%v)", strings.Join(args[1:], " "), got, args[0], err)
	}
}

// command is edged in the script's folder, with the script's environment.
func command(ts *testscript.TestScript, args ...string) *exec.Cmd {
	path, err := exec.LookPath("edged")
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environment(ts)
	return cmd
}

func environment(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{"HOME", "GORACE", "EDGED_CONFIG", "EDGED_PASSWORD", "NOTIFY_SOCKET", "TEST_VALUE"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

type serverKey struct{}

// server is an edged that runs beside the script.
type server struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and replaced at each line
}

func (s *server) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
	close(s.more)
	s.more = make(chan struct{})
}

// await returns the first line that matches.
func (s *server) await(ts *testscript.TestScript, pattern string) []string {
	re := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		lines, more := s.lines, s.more
		s.mu.Unlock()
		for _, line := range lines {
			if m := re.FindStringSubmatch(line); m != nil {
				return m
			}
		}
		select {
		case <-more:
		case <-deadline:
			ts.Fatalf("%q was not printed in %v:\n%s", pattern, patience, strings.Join(lines, "\n"))
		}
	}
}

func (s *server) read(r io.Reader, wg *sync.WaitGroup) {
	wg.Go(func() {
		for scan := bufio.NewScanner(r); scan.Scan(); {
			s.add(scan.Text())
		}
	})
}

func running(ts *testscript.TestScript) *server { return ts.Value(serverKey{}).(*server) }

// serve ARGS... starts edged run, waits for its address, and sets $ADDR to it.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	s := running(ts)
	*s = server{cmd: command(ts, append([]string{"run"}, args...)...), done: make(chan struct{}), more: make(chan struct{})}
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	errs, err := s.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	var wg sync.WaitGroup
	s.read(out, &wg)
	s.read(errs, &wg)
	go func() {
		wg.Wait()
		_ = s.cmd.Wait() // stop looks at the exit code
		close(s.done)
	}()
	ts.Defer(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		<-s.done
	})
	ts.Setenv("ADDR", s.await(ts, `edged listens on (mqtt://\S+)`)[1])
}

// logged PATTERN waits until a line of the server's output matches.
func logged(ts *testscript.TestScript, _ bool, args []string) { running(ts).await(ts, args[0]) }

// signal NAME sends a signal to the server.
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(running(ts).cmd.Process.Signal(map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT}[args[0]]))
}

// stop SIGNAL ends the server and wants exit code 0.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	s := running(ts)
	sendSignal(ts, neg, args)
	select {
	case <-s.done:
	case <-time.After(patience):
		ts.Fatalf("edged did not stop in %v:\n%s", patience, strings.Join(s.lines, "\n"))
	}
	ts.Logf("%s", strings.Join(s.lines, "\n"))
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("edged ended with exit code %d", code)
	}
}

// refuser starts a broker that refuses every client with return code 5, not authorised, and sets $ADDR to it.
func refuser(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1000)) // CONNECT, whole or not
			_, _ = conn.Write([]byte{0x20, 2, 0, 5})
			_ = conn.Close()
		}
	}()
	ts.Defer(func() {
		_ = l.Close()
		<-done
	})
	ts.Setenv("ADDR", "mqtt://"+l.Addr().String())
}

// listen-notify stands in for systemd: it sets $NOTIFY_SOCKET, and notified STATE waits for the next message there.
func listenNotify(ts *testscript.TestScript, _ bool, _ []string) {
	dir, err := os.MkdirTemp("", "n") // a socket's path has at most 108 bytes
	ts.Check(err)
	addr := &net.UnixAddr{Name: dir + "/s", Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", addr)
	ts.Check(err)
	ts.Defer(func() {
		_ = conn.Close()
		_ = os.RemoveAll(dir)
	})
	notifySockets.Store(ts, conn)
	ts.Setenv("NOTIFY_SOCKET", addr.Name)
}

// notifySockets holds each script's socket: testscript's own values are set before it runs only.
var notifySockets sync.Map

func notified(ts *testscript.TestScript, _ bool, args []string) {
	v, _ := notifySockets.Load(ts)
	conn := v.(*net.UnixConn)
	ts.Check(conn.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 100)
	n, err := conn.Read(b)
	ts.Check(err)
	if got := string(b[:n]); got != args[0] {
		ts.Fatalf("systemd was told %q, want %q", got, args[0])
	}
}
