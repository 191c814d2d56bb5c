package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ErrNoUser says that the users file holds nobody of that name.
var ErrNoUser = errors.New("no such user")

// AddUser sets a user's password in a users file, which it makes if there is none (mode 0600). Comments and all other
// lines stay. replaced says that the user was there before. The file is replaced as a whole, or not at all; of two edits
// at once, by edged, the later one waits. The hash takes some tenths of a second.
func AddUser(path, name string, password []byte) (replaced bool, err error) {
	switch err := checkUser(name); {
	case err != nil:
		return false, err
	case len(password) == 0:
		return false, errors.New("the password is empty")
	case len(password) > maxName:
		return false, fmt.Errorf("the password has %d bytes; MQTT carries at most %d", len(password), maxName)
	case bytes.IndexByte(password, 0) >= 0:
		return false, errors.New("the password has a zero byte in it; mosquitto would take it for its end")
	}
	h, err := newHash(password, iterations)
	if err != nil {
		return false, fmt.Errorf("hashing the password: %w", err)
	}
	err = edit(path, true, func(lines []string) ([]string, error) {
		rest, at := without(lines, name)
		if replaced = at >= 0; !replaced {
			at = len(rest)
		}
		return slices.Insert(rest, at, name+":"+h.String()+"\n"), nil
	})
	return replaced, err
}

// RemoveUser takes a user out of a users file; ErrNoUser if it does not hold him. Connections he has stay.
func RemoveUser(path, name string) error {
	return edit(path, false, func(lines []string) ([]string, error) {
		rest, at := without(lines, name)
		if at < 0 {
			return nil, fmt.Errorf("%s: %w: %s", path, ErrNoUser, shown(name))
		}
		return rest, nil
	})
}

// ListUsers returns the names in a users file, in its order. The error names every faulty line, up to ten.
func ListUsers(path string) ([]string, error) {
	text, _, err := readRegular(path, maxUsersFile)
	if err != nil {
		return nil, err
	}
	us, err := parseUsers(path, text)
	if err != nil {
		return nil, err
	}
	return us.names, nil
}

// without returns the lines that are not the user's, and where the first of his was; -1: none.
func without(lines []string, name string) (rest []string, at int) {
	at = -1
	for i, l := range lines {
		if n, _, used := splitLine([]byte(strings.TrimPrefix(l, "\ufeff"))); !used || n != name {
			rest = append(rest, l)
		} else if at < 0 {
			at = i
		}
	}
	return rest, at
}

// edit replaces a file by what change makes of its lines.
func edit(path string, create bool, change func([]string) ([]string, error)) error {
	real, err := filepath.EvalSymlinks(path) // a rename would replace the link
	if errors.Is(err, fs.ErrNotExist) && create {
		real, err = path, nil
	}
	if err != nil {
		return err
	}
	f, err := openLocked(real, create)
	if err != nil {
		return err
	}
	defer f.Close() // and so unlock
	text, err := io.ReadAll(io.LimitReader(f, maxUsersFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxUsersFile {
		return fmt.Errorf("%s has more than %d bytes", path, maxUsersFile)
	}
	if n := len(text); n > 0 && text[n-1] != '\n' {
		text = append(text, '\n')
	}
	lines, err := change(slices.Collect(strings.Lines(string(text))))
	if err != nil {
		return err
	}
	return replace(real, f, strings.Join(lines, ""))
}

// openLocked opens the file and locks it against other edits. Whoever waited may hold the lock of a file that was
// replaced meanwhile, and tries again with the new one.
func openLocked(path string, create bool) (*os.File, error) {
	flags := os.O_RDWR | syscall.O_NONBLOCK // a pipe is not waited for
	if create {
		flags |= os.O_CREATE
	}
	for {
		f, err := os.OpenFile(path, flags, 0o600)
		if err != nil {
			return nil, err
		}
		mine, err := f.Stat()
		if err == nil && !mine.Mode().IsRegular() {
			err = fmt.Errorf("%s is not a file", path)
		}
		if err == nil {
			err = lock(f)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		if now, err := os.Stat(path); err == nil && os.SameFile(now, mine) {
			return f, nil
		}
		f.Close()
	}
}

func lock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// replace writes text aside, to disk, and puts it in the old file's place, with its owner and, but for everybody's
// rights, its mode: who served with the old file can read the new one.
func replace(path string, old *os.File, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(fill(f, old, text), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("%s is changed, but a power cut could still undo it: %w", path, err)
	}
	return nil
}

func fill(f, old *os.File, text string) error {
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(s.Uid), int(s.Gid)); err != nil {
			return fmt.Errorf("giving the new file the owner of the old one: %w; do it as that user or as root", err)
		}
	}
	if err := f.Chmod(0o600 | info.Mode().Perm()&0o040); err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}
