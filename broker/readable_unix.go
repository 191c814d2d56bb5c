//go:build unix

package broker

import "syscall"

// readReady reads what is there without waiting; false: nothing is, wait until something comes. An idle connection waits
// without a buffer.
func (in *input) readReady(fd uintptr) bool {
	in.take()
	for {
		n, err := syscall.Read(int(fd), (*in.buf)[in.end:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if in.end == 0 {
				in.release()
			}
			return false
		case err != nil:
			in.err = err
		default:
			in.n = n
		}
		return true
	}
}

// writeReady writes what the socket takes without waiting.
func writeReady(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), b)
		if err == syscall.EINTR {
			continue
		}
		if err == syscall.EAGAIN {
			return 0, nil
		}
		return max(n, 0), err
	}
}
