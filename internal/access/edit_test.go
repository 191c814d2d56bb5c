package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestAddListRemove(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users")
	replaced, err := AddUser(path, "joe", []byte("right"))
	if err != nil || replaced {
		t.Fatal(replaced, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	// Comments, other lines and their order stay, also faulty ones, and a last line without end.
	write(t, path, "# plant\n"+read(t, path)+"\nbroken line\nann:"+joe7)
	if replaced, err = AddUser(path, "joe", []byte("better")); err != nil || !replaced {
		t.Fatal(replaced, err)
	}
	if _, err = AddUser(path, "bob", []byte("new")); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(read(t, path), "\n")
	for i, want := range []string{"# plant", "joe:$7$210000$", "", "broken line", "ann:" + joe7, "bob:$7$210000$", ""} {
		if len(lines) != 7 || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("line %d is not %q in\n%s", i, want, strings.Join(lines, "\n"))
		}
	}
	if _, err := ListUsers(path); err == nil || !strings.Contains(err.Error(), "users:4: ") {
		t.Errorf("of a broken line: %v", err)
	}
	write(t, path, strings.Replace(read(t, path), "broken line", "joe:twice", 1))
	if _, err := AddUser(path, "joe", []byte("best")); err != nil { // and no other line is his
		t.Fatal(err)
	}
	names, err := ListUsers(path)
	if err != nil || strings.Join(names, " ") != "joe ann bob" {
		t.Fatal(names, err)
	}
	a, _ := open(t, Config{UsersFile: path})
	for user, password := range map[string]string{"joe": "best", "ann": "secret", "bob": "new"} {
		if err := login(t, a, "192.0.2.1", user, password); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	if err := RemoveUser(path, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := RemoveUser(path, "ann"); !errors.Is(err, ErrNoUser) {
		t.Errorf("the second time: %v", err)
	}
	if names, err = ListUsers(path); err != nil || strings.Join(names, " ") != "joe bob" {
		t.Error(names, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestEditRefuses(t *testing.T) {
	path := write(t, "users", "# x\n")
	for _, name := range []string{"", "a:b", "#a", " a", "a ", "a\nb", "a\x00", "\xff", strings.Repeat("x", maxName+1)} {
		if _, err := AddUser(path, name, []byte("x")); err == nil {
			t.Errorf("user %.20q is taken", name)
		}
	}
	for _, password := range []string{"", "a\x00b", strings.Repeat("x", maxName+1)} {
		if _, err := AddUser(path, "joe", []byte(password)); err == nil {
			t.Errorf("password %.20q is taken", password)
		}
	}
	if read(t, path) != "# x\n" {
		t.Errorf("the file became %q", read(t, path))
	}
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	if err := RemoveUser(missing, "joe"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe} {
		if err := RemoveUser(path, "joe"); err == nil {
			t.Errorf("%s is a users file", path)
		}
		if _, err := ListUsers(path); err == nil || !strings.Contains(err.Error(), "is not a file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("removing made a file")
	}
}

// TestEditsAtOnce: of many edits at once none is lost.
func TestEditsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for i := range 32 {
		wg.Go(func() {
			errs <- edit(path, true, func(lines []string) ([]string, error) { return append(lines, fmt.Sprintf("user%d:%s\n", i, joe7)), nil })
		})
	}
	wg.Wait()
	for i := range 31 {
		wg.Go(func() { errs <- RemoveUser(path, fmt.Sprint("user", i)) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if names, err := ListUsers(path); err != nil || strings.Join(names, " ") != "user31" {
		t.Errorf("left are %v, %v", names, err)
	}
}

// TestEditWaits: another edit holds the lock, replaces the file and lets go.
func TestEditWaits(t *testing.T) {
	path := write(t, "users", "ann:"+joe7+"\n")
	held, err := openLocked(path, false)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- RemoveUser(path, "ann") }()
	waits := func() bool { // the kernel lists who waits for the lock
		return strings.Contains(read(t, "/proc/locks"), "-> FLOCK")
	}
	for deadline := time.Now().Add(10 * time.Second); !waits() && time.Now().Before(deadline); {
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		default:
		}
	}
	if err := replace(path, held, "bob:"+joe7+"\nann:"+joe7+"\n"); err != nil {
		t.Fatal(err)
	}
	held.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if names, err := ListUsers(path); err != nil || strings.Join(names, " ") != "bob" {
		t.Errorf("left are %v, %v", names, err)
	}
}

func TestEditKeepsOwnerGroupAndLink(t *testing.T) {
	path := write(t, "users", "ann:"+joe7+"\n")
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 { // the usual way: root edits the file of a service
		uid, gid = 12345, 12346
	}
	if err := errors.Join(os.Chown(path, uid, gid), os.Chmod(path, 0o664)); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := RemoveUser(link, "ann"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); int(s.Uid) != uid || int(s.Gid) != gid || info.Mode() != 0o640 || info.Size() != 0 {
		t.Errorf("owner %d:%d, mode %v, %d bytes", s.Uid, s.Gid, info.Mode(), info.Size())
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
}

// TestEditThatFails: the file stays as it was, and nothing else is left.
func TestEditThatFails(t *testing.T) {
	path := write(t, "users", "ann:"+joe7+"\n")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	small := limit
	small.Cur = 1000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil { // no file may grow beyond it: EFBIG
		t.Fatal(err)
	}
	err = replace(path, f, strings.Repeat("#\n", 5000))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("got %v", err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 || read(t, path) != "ann:"+joe7+"\n" {
		t.Errorf("left behind: %v, %v; the file is %q", files, err, read(t, path))
	}
}
