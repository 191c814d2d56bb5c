package interop_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds how long a condition may take to come true; it is never waited out when things work.
const patience = 60 * time.Second

// python is Debian's, which has the packages of the peers; another python3 may stand before it on the PATH.
const python = "/usr/bin/python3"

// process is a program under test or a peer of it. Its output is kept line by line.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu      sync.Mutex
	changed *sync.Cond
	lines   []string
	ended   bool
	err     error
}

// start runs a program; the test stops it at its end, and prints its last lines when it failed.
func start(t *testing.T, name, path string, args ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(path, args...)}
	p.changed = sync.NewCond(&p.mu)
	// Should this test die, the peer must not outlive it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v; `make deps` installs the peers", name, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(r); s.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, s.Text())
			p.changed.Broadcast()
			p.mu.Unlock()
		}
	}()
	go func() {
		err := p.cmd.Wait()
		w.Close()
		<-read
		p.mu.Lock()
		p.ended, p.err = true, err
		p.changed.Broadcast()
		p.mu.Unlock()
	}()
	t.Cleanup(func() {
		p.kill(t)
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			last := p.lines[max(0, len(p.lines)-25):]
			t.Logf("%s, its last lines:\n\t%s", name, strings.Join(last, "\n\t"))
		}
	})
	return p
}

// await waits until cond, called with all lines so far, is true.
func (p *process) await(t *testing.T, what string, cond func(lines []string) bool) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { p.changed.Broadcast() })
	defer timer.Stop()
	deadline := time.Now().Add(patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !cond(p.lines) {
		if p.ended {
			t.Fatalf("%s ended (%v) before it showed %s", p.name, p.err, what)
		}
		if !time.Now().Before(deadline) {
			t.Fatalf("%s did not show %s within %v", p.name, what, patience)
		}
		p.changed.Wait()
	}
}

// line waits for a line that matches pattern at or after line number from, and returns it with the number of the next.
func (p *process) line(t *testing.T, from int, pattern string) (found string, next int) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	p.await(t, "a line like "+pattern, func(lines []string) bool {
		for i := from; i < len(lines); i++ {
			if re.MatchString(lines[i]) {
				found, next = lines[i], i+1
				return true
			}
		}
		return false
	})
	return found, next
}

// count waits until n lines have come.
func (p *process) count(t *testing.T, n int) {
	t.Helper()
	p.await(t, fmt.Sprint(n, " lines"), func(lines []string) bool { return len(lines) >= n })
}

func (p *process) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// ask writes a line to the program and returns the line it answers with.
func (p *process) ask(t *testing.T, format string, args ...any) string {
	t.Helper()
	n := len(p.all())
	if _, err := fmt.Fprintf(p.stdin, format+"\n", args...); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	answer, _ := p.line(t, n, "")
	return answer
}

// wait waits for the program to end by itself.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	timer := time.AfterFunc(patience, func() { p.changed.Broadcast() })
	defer timer.Stop()
	deadline := time.Now().Add(patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		if !time.Now().Before(deadline) {
			t.Fatalf("%s did not end within %v", p.name, patience)
		}
		p.changed.Wait()
	}
	return p.err
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v to %s: %v", s, p.name, err)
	}
}

// kill ends the program as a power cut would; nothing happens when it has ended.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if !ended && p.cmd.Process.Kill() == nil {
		_ = p.wait(t) // the error says that it was killed
	}
}

// freePort asks the kernel for a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// awaitPort waits until something accepts connections on the port.
func awaitPort(t *testing.T, p *process, port int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not listen on port %d", p.name, port)
		case <-tick.C:
		}
	}
}

// mosquitto is the cloud's broker. Its sessions survive its own death only through its file, as in the field.
type mosquitto struct {
	*process
	port int
	conf string
}

func startMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	m := &mosquitto{port: freePort(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nmax_queued_messages 0\nuser root\nset_tcp_nodelay true\n",
		m.port, filepath.Dir(m.conf))
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start(t)
	return m
}

func (m *mosquitto) start(t *testing.T) {
	t.Helper()
	m.process = start(t, "mosquitto", "/usr/sbin/mosquitto", "-c", m.conf)
	awaitPort(t, m.process, m.port)
}

// stop ends mosquitto in order, so that it saves its sessions.
func (m *mosquitto) stop(t *testing.T) {
	t.Helper()
	m.signal(t, syscall.SIGTERM)
	if err := m.wait(t); err != nil {
		t.Fatalf("mosquitto: %v", err)
	}
}

func (m *mosquitto) subscribe(t *testing.T, id string, filters ...string) *process {
	t.Helper()
	return subscribe(t, m.port, id, filters...)
}

func subscribe(t *testing.T, port int, id string, filters ...string) *process {
	t.Helper()
	args := append([]string{"testdata/reader.py", fmt.Sprint(port), id}, filters...)
	p := start(t, "reader "+id, python, args...)
	p.line(t, 0, "^subscribed$")
	return p
}

// run runs a command to its end and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
