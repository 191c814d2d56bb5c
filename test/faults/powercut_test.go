package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPowerCuts: the disk below edged loses its power at random moments, and keeps only what was flushed.
func TestPowerCuts(t *testing.T) {
	d := ext4(t, 256<<20)
	s := set(t, d.dir+"/data", "")
	s.listen()
	s.crowd()
	for range rounds(t, 25) {
		const each = 60
		s.allow(each)
		s.await(s.random.IntN(len(s.publishers) * each * 3 / 4))
		// A flush that is under way while the file system is shut down can report success although the disk has nothing. In the
		// field nobody lives to hear of it, so no flush may be under way here.
		freeze(t, s.edged.PID())
		d.cut(t)
		if s.random.IntN(3) == 0 {
			// Edged outlives its disk for a moment: now it must not acknowledge anything.
			s.edged.Signal(t, syscall.SIGCONT)
			s.allow(1)
			eventually(t, long, func() bool { return s.edged.Ended() || said(s.edged, "the store failed") }, s.state)
		}
		s.edged.Kill(t)
		d.restore(t)
		s.edged.Start(t)
	}
	s.check()
}

// freeze stops a program and waits until none of its threads is in the kernel any more.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	running := ""
	eventually(t, long, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("edged has ended: %v", err)
		}
		for _, thread := range threads {
			b, err := os.ReadFile(thread)
			if err != nil {
				continue // it has ended
			}
			running = string(b)
			// The state follows the name, which may hold anything, in brackets (proc_pid_stat(5)).
			if rest := running[strings.LastIndexByte(running, ')')+1:]; !strings.HasPrefix(rest, " T") {
				return false
			}
		}
		return true
	}, func() string { return "every thread of edged is stopped; one is not: " + running })
}
