package peer

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// CPU is the processor time the broker has used, in user and kernel mode, all threads together.
func (b *Broker) CPU() (time.Duration, error) { return CPU(b.cmd.Process.Pid) }

// Memory is the broker's proportional set size (PSS), in bytes.
func (b *Broker) Memory() (int64, error) { return Memory(b.cmd.Process.Pid) }

// CPU reads a process's CPU clock: what utime and stime of /proc/PID/stat tell in steps of 10 ms, in nanoseconds.
func CPU(pid int) (time.Duration, error) {
	const wholeProcess = 2 // CPUCLOCK_SCHED, as clock_getcpuclockid(3) makes it
	clock := uintptr(int32(^pid<<3 | wholeProcess))
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(ts.Nano()), nil
}

// Memory reads PSS from /proc/PID/smaps_rollup: resident memory, shared pages divided by those who share them.
func Memory(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	return pss(text, name)
}

func pss(text []byte, name string) (int64, error) {
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) == 3 && string(f[0]) == "Pss:" && string(f[2]) == "kB" {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no line Pss", name)
}
