package peer

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// PinSelf keeps all threads of this process on one processor core, those to come included. core -1: leaves them alone.
func PinSelf(core int) error {
	if core < 0 {
		return nil
	}
	out, err := exec.Command("taskset", "-a", "-p", "-c", strconv.Itoa(core), strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s; use -load-core -1 -broker-core -1 to run unpinned", err, out)
	}
	return nil
}

// RaiseFiles lets this process, and those it starts, open want files each.
func RaiseFiles(want uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if l.Max < want {
		raised := syscall.Rlimit{Cur: want, Max: want}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err == nil || !errors.Is(err, syscall.EPERM) {
			return err
		}
		return fmt.Errorf("at most %d files may be open and the benchmark needs %d: raise it with ulimit -Hn %d as root", l.Max, want, want)
	}
	// Set even when it suffices: Go gives its children the original limit unless the program has set one.
	l.Cur = max(l.Cur, want)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
