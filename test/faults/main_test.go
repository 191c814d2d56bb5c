package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/edged/edged/test/peers"
)

// binary is the edged under test, built once.
var binary string

// inside is set in the environment of the process that runs the tests, in a mount namespace of its own.
const inside = "EDGED_FAULTS_NAMESPACE"

func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		if code, ok := again(); ok {
			os.Exit(code)
		}
	}
	var remove func()
	var err error
	if binary, remove, err = peers.Build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// again runs the tests in a mount namespace of their own: whatever they mount is gone with them, even if they are killed. ok is false
// without the right to do so.
func again() (code int, ok bool) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, true
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), true
	case errors.Is(err, syscall.EPERM):
		return 0, false
	}
	fmt.Fprintln(os.Stderr, "run the tests in a mount namespace:", err)
	return 1, true
}

// rounds multiplies n for a long run.
func rounds(t *testing.T, n int) int {
	t.Helper()
	s := os.Getenv("EDGED_FAULTS_ROUNDS")
	if s == "" {
		return n
	}
	factor, err := strconv.Atoi(s)
	if err != nil || factor < 1 {
		t.Fatalf("EDGED_FAULTS_ROUNDS is %q; it must be a whole number of at least 1", s)
	}
	return n * factor
}

// random chooses the faults; a test that fails prints the seed.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("EDGED_FAULTS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("EDGED_FAULTS_SEED: %v", err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("EDGED_FAULTS_SEED=%d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// eventually waits until cond is true, at most for limit.
func eventually(t *testing.T, limit time.Duration, cond func() bool, what func() string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what())
		}
	}
}
