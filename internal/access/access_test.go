package access

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// TestWaysIn: which clients come in with which configuration, and who they are then.
func TestWaysIn(t *testing.T) {
	users := write(t, "users", line(t, "joe", "right")+line(t, "ey.a.b", "ey.a.b"))
	keys := JWT{SecretFiles: []string{write(t, "secret", secret)}}
	type shown struct{ user, password string }
	nothing, wrong, right, nameOnly, passwordOnly := shown{}, shown{"joe", "wrong"}, shown{"joe", "right"}, shown{user: "joe"}, shown{password: "right"}
	for _, c := range []struct {
		name string
		cfg  Config
		// want is the answer to each of the five above, to anonymous policies that refuse and that allow.
		refuse, allow [5]string
	}{
		{
			"nothing", Config{},
			[5]string{"unauthorised", "unauthorised", "unauthorised", "unauthorised", "unauthorised"},
			[5]string{"anonymous", "anonymous", "anonymous", "anonymous", "anonymous"},
		},
		{
			"users", Config{UsersFile: users},
			[5]string{"unauthorised", "bad", "joe", "bad", "bad"},
			[5]string{"anonymous", "bad", "joe", "bad", "bad"},
		},
		{
			"tokens", Config{JWT: keys},
			[5]string{"unauthorised", "bad", "bad", "bad", "bad"},
			[5]string{"anonymous", "bad", "bad", "bad", "bad"},
		},
		{
			"both", Config{UsersFile: users, JWT: keys},
			[5]string{"unauthorised", "bad", "joe", "bad", "bad"},
			[5]string{"anonymous", "bad", "joe", "bad", "bad"},
		},
	} {
		a, _ := open(t, c.cfg)
		for i, s := range []shown{nothing, wrong, right, nameOnly, passwordOnly} {
			for anonymous, want := range map[bool]string{false: c.refuse[i], true: c.allow[i]} {
				id, err := a.Authenticate(soon(t), Request{Username: s.user, Password: []byte(s.password), Anonymous: anonymous})
				got := kind(err)
				if err == nil && id.User == "" {
					got = "anonymous"
				} else if err == nil {
					got = id.User
				}
				if got != want || !id.Expires.IsZero() {
					t.Errorf("%s, %+v, anonymous %v: %s, want %s", c.name, s, anonymous, got, want)
				}
			}
		}
	}
}

func TestRefusalsNameTheSetting(t *testing.T) {
	for want, r := range map[string]Request{"broker.anonymous": {}, "broker.users_file": {Username: "joe"}} {
		a, log := open(t, Config{})
		_, err := a.Authenticate(soon(t), r)
		if err == nil || !strings.Contains(err.Error(), want) || log.count(want) != 1 {
			t.Errorf("got %v, logged %s", err, log)
		}
	}
}

func TestTheLogIsBoundedAndShowsNoPassword(t *testing.T) {
	users := write(t, "users", line(t, "joe", "right"))
	synctest.Test(t, func(t *testing.T) {
		a, log := open(t, Config{UsersFile: users, JWT: JWT{SecretFiles: []string{write(t, "secret", secret)}}})
		long := strings.Repeat("x", 60_000)
		for i := range 300 {
			for _, r := range []Request{
				{Username: "evil\nlevel=ERROR " + long, Password: fmt.Append(nil, "hunter2", i), ClientID: long},
				{Username: "joe", Password: fmt.Appendf(nil, "ey%d.hunter2.x", i)},
				{},
			} {
				r.Remote = from("192.0.2.1")
				if id, err := a.Authenticate(soon(t), r); err == nil {
					t.Fatalf("%+v comes in as %v", r, id)
				}
			}
		}
		text := log.String()
		if lines := strings.Count(text, "\n"); lines != 30 || len(text) > 30*1000 || strings.Contains(text, "hunter2") || strings.Contains(text, "\nlevel") {
			t.Errorf("%d lines, %d bytes: %.3000s", lines, len(text), text)
		}
	})
}

// TestAllAtOnce is for the race detector.
func TestAllAtOnce(t *testing.T) {
	path := write(t, "users", line(t, "joe", "right")+line(t, "ann", "right"))
	a, _ := open(t, Config{UsersFile: path, Access: []Rule{{User: "*", Subscribe: []string{"{user}/#"}}}})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				a.file.mu.Lock()
				a.file.looked = a.file.looked.Add(-2 * lookEvery)
				a.file.mu.Unlock()
				user := []string{"joe", "ann", "nobody"}[j%3]
				id, err := a.Authenticate(soon(t), Request{Remote: from("192.0.2.1"), Username: user, Password: []byte("right")})
				if (err == nil) != (user != "nobody") && !errors.As(err, new(*SlowDownError)) {
					t.Errorf("%s: %v, %v", user, id, err)
				}
				if g := a.Grants(user, "c"); !g.Subscribe(user+"/x") || g.Subscribe("x") {
					t.Errorf("%s: wrong grants", user)
				}
				a.Stats()
				if i == 0 && j%10 == 0 {
					replaceFile(t, path, line(t, "joe", "right")+line(t, "ann", "right"))
				}
			}
		})
	}
	wg.Wait()
}
