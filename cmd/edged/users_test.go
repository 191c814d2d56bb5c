package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/edged/edged/internal/access"
)

// terminal opens both ends of a pseudo terminal.
func terminal(t *testing.T) (outer, inner *os.File) {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { outer.Close() })
	if err := unix.IoctlSetPointerInt(int(outer.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(outer.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if inner, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close() })
	return outer, inner
}

// prompts is a standard error stream that hands over what is written to it.
type prompts chan string

func (p prompts) Write(b []byte) (int, error) {
	p <- string(b)
	return len(b), nil
}

// add runs users add at a terminal where somebody types two lines, and returns its exit code and what the terminal showed.
func add(t *testing.T, users, first, second string) (code int, shown []byte) {
	t.Helper()
	outer, inner := terminal(t)
	asked := make(prompts, 10)
	ended := make(chan int, 1)
	go func() { ended <- execute([]string{"users", "add", "-f", users, "ann"}, inner, io.Discard, asked) }()
	for _, line := range []string{first, second} {
		for p := ""; len(p) < 5; {
			select {
			case p = <-asked:
			case <-time.After(patience):
				t.Fatal("nobody asks for the password")
			}
		}
		if _, err := outer.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case code = <-ended:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if _, err := inner.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 100); !bytes.HasSuffix(shown, []byte("end")); {
		n, err := outer.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, b[:n]...)
	}
	before, err := unix.IoctlGetTermios(int(inner.Fd()), unix.TCGETS)
	if err != nil || before.Lflag&unix.ECHO == 0 {
		t.Errorf("the terminal shows nothing any more (%v)", err)
	}
	return code, shown
}

func TestPasswordAtTheTerminal(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	code, shown := add(t, users, "correct horse", "correct horse")
	if code != exitDone {
		t.Fatalf("exit code %d", code)
	}
	if bytes.Contains(shown, []byte("horse")) {
		t.Errorf("the terminal shows the password: %q", shown)
	}
	if names, err := access.ListUsers(users); err != nil || len(names) != 1 {
		t.Errorf("users: %v, %v", names, err)
	}
	before, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := add(t, users, "one", "another"); code != exitFailed {
		t.Errorf("two different passwords: exit code %d", code)
	}
	if after, err := os.ReadFile(users); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed (%v)", err)
	}
}
