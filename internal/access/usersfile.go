package access

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often a users file is looked at, at most.
const lookEvery = time.Second

// usersFile reads a users file again when it has changed.
type usersFile struct {
	path string
	log  *slog.Logger
	last atomic.Pointer[users] // the last ones that could be read

	mu     sync.Mutex // the rest; whoever finds it locked uses the last users
	looked time.Time
	seen   fs.FileInfo // of the file that was read, well or not
	fault  string      // what was wrong the last time, so that it is logged once
}

func openUsers(path string, log *slog.Logger) (*usersFile, error) {
	f := &usersFile{path: path, log: log, looked: time.Now()}
	us, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; make it with edged users add", err)
	}
	if err != nil {
		return nil, fmt.Errorf("users_file: %w", err)
	}
	f.last.Store(us)
	return f, nil
}

// current returns the file's users, as they were at most a second ago.
func (f *usersFile) current() *users {
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		if now := time.Now(); now.Sub(f.looked) >= lookEvery {
			f.looked = now
			f.look()
		}
	}
	return f.last.Load()
}

// look reads the file again if it has changed. With an error the old users stay.
func (f *usersFile) look() {
	info, err := os.Stat(f.path)
	if err == nil && f.seen != nil && os.SameFile(info, f.seen) && info.Size() == f.seen.Size() && info.ModTime().Equal(f.seen.ModTime()) {
		return
	}
	us, err := f.read()
	if err != nil {
		if f.fault != err.Error() {
			f.fault = err.Error()
			f.log.Error("users file cannot be used; the users read before stay", "file", f.path, "error", err)
		}
		return
	}
	us.inherit(f.last.Load())
	f.last.Store(us)
	f.fault = ""
	f.log.Info("users file read again", "file", f.path, "users", len(us.names))
}

func (f *usersFile) read() (*users, error) {
	f.seen = nil // until the file is there and can be read, every look tries
	text, info, err := readRegular(f.path, maxUsersFile)
	if err != nil {
		return nil, err
	}
	f.seen = info
	if mode := info.Mode().Perm(); mode&0o006 != 0 {
		f.log.Warn("everybody on this machine may read or change the users file", "file", f.path, "mode", fmt.Sprintf("%04o", mode), "do", "chmod 600 "+f.path)
	}
	return parseUsers(f.path, text)
}

// readRegular reads a file that has at most so many bytes, and is no pipe or device, which could keep us waiting.
func readRegular(path string, most int64) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil { // of the file that was opened, before it is read: what comes later is seen later
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(text)) > most {
		return nil, nil, fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return text, info, nil
}
