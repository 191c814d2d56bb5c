package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Need is what a scenario asks of a broker beyond its defaults.
type Need struct {
	// Waiting is how many messages may have to wait for one client; 0: the default suffices.
	Waiting int
}

// Kind is a broker that can be started.
type Kind struct {
	Name string
	// Binary is the program.
	Binary string
	// command writes configuration into dir and returns the arguments that make the binary listen on 127.0.0.1:port.
	command func(dir string, port int, need Need) ([]string, error)
}

// Broker is a running broker.
type Broker struct {
	addr string
	dir  string
	cmd  *exec.Cmd
	// exited is closed when the process has ended.
	exited chan struct{}
}

// Start starts the broker on one processor core and returns when it accepts connections. core -1: on any.
func (k Kind) Start(ctx context.Context, core int, need Need) (*Broker, error) {
	dir, err := os.MkdirTemp("", "edged-bench-"+k.Name+"-")
	if err != nil {
		return nil, err
	}
	b, err := k.start(ctx, dir, core, need)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", k.Name, err), os.RemoveAll(dir))
	}
	return b, nil
}

func (k Kind) start(ctx context.Context, dir string, core int, need Need) (*Broker, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args, err := k.command(dir, port, need)
	if err != nil {
		return nil, err
	}
	args = append([]string{k.Binary}, args...)
	if core >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(core)}, args...) // execs, so the process is the broker's
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // the benchmark may be killed
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &Broker{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir, cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is of no interest: whoever still needs it sees its connections break
		close(b.exited)
	}()
	if err := b.awaitListening(ctx); err != nil {
		said, _ := os.ReadFile(log.Name())
		return nil, errors.Join(fmt.Errorf("%w; it said: %s", err, bytes.TrimSpace(said)), b.kill())
	}
	return b, nil
}

// Addr is where the broker listens, host:port.
func (b *Broker) Addr() string { return b.addr }

// Stop ends the broker and deletes its data.
func (b *Broker) Stop() error {
	return errors.Join(b.kill(), os.RemoveAll(b.dir))
}

// kill ends the process without ceremony, which is what its data directory can expect.
func (b *Broker) kill() error {
	err := b.cmd.Process.Kill()
	<-b.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

func (b *Broker) awaitListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", b.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-b.exited:
			return errors.New("it ended before it listened")
		case <-ctx.Done():
			return fmt.Errorf("it does not listen on %s: %w", b.addr, err)
		case <-tick.C:
		}
	}
}

// freePort asks the kernel for a port. Somebody else may take it before the broker does; then the start fails.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
