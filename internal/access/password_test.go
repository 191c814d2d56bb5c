package access

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// kind is an error in a word.
func kind(err error) string {
	var slow *SlowDownError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &slow):
		return "slow"
	case errors.Is(err, ErrBadCredentials):
		return "bad"
	case errors.Is(err, ErrNotAuthorised):
		return "unauthorised"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "context"
	}
	return err.Error()
}

func TestProvedPasswordsAreNotHashedAgain(t *testing.T) {
	a, _ := open(t, Config{UsersFile: write(t, "users", line(t, "joe", "right"))})
	if err := login(t, a, "192.0.2.1", "joe", "right"); err != nil {
		t.Fatal(err)
	}
	for range cap(a.passwords.slots) {
		a.passwords.slots <- struct{}{} // nobody can hash any more
	}
	if err := login(t, a, "192.0.2.1", "joe", "right"); err != nil {
		t.Errorf("the second time: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, user := range []string{"joe", "nobody"} { // both must wait for their turn, so both are hashed
		if _, err := a.Authenticate(ctx, Request{Username: user, Password: []byte("wrong")}); kind(err) != "context" {
			t.Errorf("%s without a turn: %v", user, err)
		}
	}
	for b, empty := range a.logins.empty {
		if empty.After(time.Now()) {
			t.Errorf("%v: who got no turn has paid for it", b)
		}
	}
	if len(a.passwords.flights) != 0 {
		t.Error("who got no turn left something behind")
	}
}

// TestHashingIsNotInVain: a client that gives up while its password is hashed finds it proved the next time.
func TestHashingIsNotInVain(t *testing.T) {
	h, err := newHash([]byte("right"), iterations)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := open(t, Config{UsersFile: write(t, "users", "joe:"+h.String()+"\n")})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	joe := Request{Username: "joe", Password: []byte("right")}
	go func() {
		_, err := a.Authenticate(ctx, joe)
		done <- err
	}()
	for len(a.passwords.slots) == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for range cap(a.passwords.slots) {
		a.passwords.slots <- struct{}{}
	}
	if _, err := a.Authenticate(ctx, joe); err != nil {
		t.Errorf("the next time: %v", err)
	}
}

// TestHashingIsBounded: however many log in, so many hash at a time, and who logs in twice is hashed once.
func TestHashingIsBounded(t *testing.T) {
	file := write(t, "users", line(t, "joe", "right"))
	synctest.Test(t, func(t *testing.T) {
		a, _ := open(t, Config{UsersFile: file})
		for range cap(a.passwords.slots) {
			a.passwords.slots <- struct{}{}
		}
		results := make(chan string, 50)
		for i := range 50 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%2)*time.Minute) // the first ones may give up
				defer cancel()
				_, err := a.Authenticate(ctx, Request{Remote: from("192.0.2.1"), Username: "joe", Password: []byte("right")})
				results <- kind(err)
			}()
		}
		synctest.Wait()
		a.passwords.mu.Lock()
		flights := len(a.passwords.flights)
		a.passwords.mu.Unlock()
		if len(results) > 0 || flights != 1 {
			t.Fatalf("%d have a result, %d are to be hashed", len(results), flights)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(results) != 25 {
			t.Fatalf("%d of 25 gave up", len(results))
		}
		<-a.passwords.slots
		synctest.Wait()
		got := map[string]int{}
		for range 50 {
			got[<-results]++
		}
		if got["context"] != 25 || got["ok"] != 25 {
			t.Errorf("got %v", got)
		}
		if len(a.passwords.slots) != cap(a.passwords.slots)-1 {
			t.Error("a slot was not given back")
		}
	})
}

// TestManyGuessesAtOnce: that they come at once does not get more of them looked at, known user or not.
func TestManyGuessesAtOnce(t *testing.T) {
	a, _ := open(t, Config{UsersFile: write(t, "users", line(t, "joe", "right")+line(t, "ann", "right"))})
	if err := login(t, a, "192.0.2.1", "joe", "right"); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"joe", "ann", "nobody"} { // proved, known, unknown
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[string]int{}
		for i := range 200 {
			wg.Go(func() {
				_, err := a.Authenticate(context.Background(), Request{Remote: from("192.0.2.1"), Username: user, Password: bytes.Repeat([]byte("x"), i+1)})
				mu.Lock()
				defer mu.Unlock()
				got[kind(err)]++
			})
		}
		wg.Wait()
		if got["bad"] != 5 || got["slow"] != 195 {
			t.Errorf("%s: %v", user, got)
		}
	}
}

func TestUsersFileIsReadAgain(t *testing.T) {
	path := write(t, "users", line(t, "joe", "right")+line(t, "ann", "right"))
	synctest.Test(t, func(t *testing.T) {
		a, log := open(t, Config{UsersFile: path})
		later := func() { time.Sleep(lookEvery) }
		expect := func(step, user, password, want string) {
			t.Helper()
			if got := kind(login(t, a, "192.0.2.1", user, password)); got != want {
				t.Fatalf("%s: %s with %s: %s, want %s\n%s", step, user, password, got, want, log)
			}
		}
		ann := strings.SplitAfter(read(t, path), "\n")[1]
		expect("at first", "joe", "right", "ok")
		expect("at first", "ann", "right", "ok")
		before := a.file.last.Load()
		later()
		expect("unchanged", "joe", "right", "ok")
		if a.file.last.Load() != before {
			t.Error("read again for nothing")
		}

		replaceFile(t, path, line(t, "joe", "new password")+ann)
		expect("not looked at yet", "joe", "right", "ok")
		later()
		expect("changed", "joe", "right", "bad") // also though it was proved
		expect("changed", "joe", "new password", "ok")
		if u, _ := a.file.current().find("ann"); u.proof.Load() == nil {
			t.Error("ann, who has not changed, is hashed again")
		}

		replaceFile(t, path, "joe:hunter2\n")
		for range 3 {
			later()
			expect("broken", "joe", "new password", "ok")
		}
		if log.count("level=ERROR") != 1 || log.count("users:1: ") != 1 || log.count("hunter2") != 0 {
			t.Errorf("of a broken file the log says\n%s", log)
		}

		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			later()
			expect("missing", "ann", "right", "ok")
		}
		if log.count("level=ERROR") != 2 {
			t.Errorf("of a missing file the log says\n%s", log)
		}

		write(t, path, line(t, "bob", "right"))
		later()
		expect("back", "bob", "right", "ok")
		expect("back", "ann", "right", "bad")
		if log.count("read again") != 2 {
			t.Errorf("logged\n%s", log)
		}
	})
}

func TestUsersFileAtStart(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"): "edged users add",
		dir:                           "is not a file",
		write(t, "users", "joe:x\n"):  "users:1: ",
		write(t, "big", strings.Repeat("#\n", maxUsersFile/2)+"#"): "more than",
	} {
		if a, err := New(Config{UsersFile: path}, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "users_file: ") {
			t.Errorf("%s: got %v, %v", path, a, err)
		}
	}
	path := write(t, "users", line(t, "joe", "right"))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, log := open(t, Config{UsersFile: path}); log.count("level=WARN") != 1 || log.count("chmod 600") != 1 {
		t.Errorf("of a file everybody may read the log says\n%s", log)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func replaceFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.Rename(write(t, path+".new", text), path); err != nil {
		t.Fatal(err)
	}
}
