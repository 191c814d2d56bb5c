package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// folderLock keeps a second process out of the store's folder for as long as it is held, by flock(2) on a file that
// names the holder.
type folderLock struct{ f *os.File }

func lockFolder(path string) (*folderLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the buffer's folder: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.Join(inUse(path), f.Close())
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil && !errors.Is(err, unix.ENOSPC) { // the number is only there to be told
		return nil, errors.Join(fmt.Errorf("lock the buffer's folder %s: %w", path, err), f.Close())
	}
	return &folderLock{f}, nil
}

func inUse(path string) error {
	who := "another process"
	if b, err := os.ReadFile(path); err == nil {
		if pid, err := strconv.Atoi(string(bytes.TrimSpace(b))); err == nil {
			who = fmt.Sprintf("process %d", pid)
		}
	}
	return fmt.Errorf("the buffer's folder is in use by %s, which holds %s; stop it, or give each edged a data_dir of its own", who, path)
}

func (l *folderLock) release() error { return l.f.Close() }
