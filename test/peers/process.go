package peers

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience bounds how long a condition may take to come true; it is never waited out when things work.
const Patience = 60 * time.Second

// Python is Debian's, which has the packages of the peers; another python3 may stand before it on the PATH.
const Python = "/usr/bin/python3"

// Process is a program under test or a peer of it. Its output is kept line by line.
type Process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu      sync.Mutex
	changed *sync.Cond
	lines   []string
	ended   bool
	killed  bool
	err     error
}

// Start runs a program; the test stops it at its end, and prints its last lines when it failed, unless it was killed before.
func Start(t testing.TB, name, path string, args ...string) *Process {
	t.Helper()
	p := &Process{name: name, cmd: exec.Command(path, args...)}
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
		w.Close() //nolint:errcheck // a PipeWriter gives none
		<-read
		p.mu.Lock()
		p.ended, p.err = true, err
		p.changed.Broadcast()
		p.mu.Unlock()
	}()
	t.Cleanup(func() {
		p.mu.Lock()
		ended := p.ended && p.killed
		p.mu.Unlock()
		p.Kill(t)
		if t.Failed() && !ended {
			p.mu.Lock()
			defer p.mu.Unlock()
			last := p.lines[max(0, len(p.lines)-25):]
			t.Logf("%s, its last lines:\n\t%s", name, strings.Join(last, "\n\t"))
		}
	})
	return p
}

// alarm wakes whoever waits for the process once the deadline has passed.
func (p *Process) alarm() (deadline time.Time, stop func() bool) {
	deadline = time.Now().Add(Patience)
	return deadline, time.AfterFunc(Patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	}).Stop
}

// Await waits until cond, called with all lines so far, is true.
func (p *Process) Await(t testing.TB, what string, cond func(lines []string) bool) {
	t.Helper()
	deadline, stop := p.alarm()
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !cond(p.lines) {
		if p.ended {
			t.Fatalf("%s ended (%v) before it showed %s", p.name, p.err, what)
		}
		if !time.Now().Before(deadline) {
			t.Fatalf("%s did not show %s within %v", p.name, what, Patience)
		}
		p.changed.Wait()
	}
}

// Line waits for a line that matches pattern at or after line number from, and returns it with the number of the next.
func (p *Process) Line(t testing.TB, from int, pattern string) (found string, next int) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	p.Await(t, "a line like "+pattern, func(lines []string) bool {
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

// Count waits until n lines have come.
func (p *Process) Count(t testing.TB, n int) {
	t.Helper()
	p.Await(t, fmt.Sprint(n, " lines"), func(lines []string) bool { return len(lines) >= n })
}

// All returns the lines so far.
func (p *Process) All() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// Ask writes a line to the program and returns the line it answers with.
func (p *Process) Ask(t testing.TB, format string, args ...any) string {
	t.Helper()
	n := len(p.All())
	if _, err := fmt.Fprintf(p.stdin, format+"\n", args...); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	answer, _ := p.Line(t, n, "")
	return answer
}

// Wait waits for the program to end by itself.
func (p *Process) Wait(t testing.TB) error {
	t.Helper()
	deadline, stop := p.alarm()
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		if !time.Now().Before(deadline) {
			t.Fatalf("%s did not end within %v", p.name, Patience)
		}
		p.changed.Wait()
	}
	return p.err
}

// Signal sends a signal to the program.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v to %s: %v", s, p.name, err)
	}
}

// Kill ends the program as a power cut would; nothing happens when it has ended.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	ended := p.ended
	p.killed = true
	p.mu.Unlock()
	if !ended && p.cmd.Process.Kill() == nil {
		_ = p.Wait(t) // the error says that it was killed
	}
}

// PID is the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended says whether the program has ended.
func (p *Process) Ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}
