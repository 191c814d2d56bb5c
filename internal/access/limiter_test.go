package access

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(3, 10*time.Second)
		b, other := bucket{login: 1}, bucket{login: 2}
		for i := range 3 {
			if full, _ := l.take(b); full {
				t.Fatalf("full after %d", i)
			}
		}
		full, until := l.take(b)
		if wait := time.Until(until); !full || wait != 10*time.Second {
			t.Fatalf("after 3: full %v, for %v", full, wait)
		}
		if full, _ := l.isFull(other); full {
			t.Fatal("another bucket is full")
		}
		time.Sleep(10*time.Second - time.Nanosecond)
		if full, _ := l.isFull(b); !full {
			t.Fatal("room too early")
		}
		time.Sleep(time.Nanosecond)
		if full, _ := l.take(b); full {
			t.Fatal("no room after 10 s")
		}
		if full, _ := l.take(b); !full {
			t.Fatal("room for two after 10 s")
		}
		l.giveBack(b)
		if full, _ := l.isFull(b); full {
			t.Fatal("no room for what was given back")
		}
		time.Sleep(time.Hour)
		for i := range 3 { // an hour of rest gives no more than the beginning
			if full, _ := l.take(b); full {
				t.Fatalf("full after an hour and %d", i)
			}
		}
		if full, _ := l.take(b); !full {
			t.Fatal("room for 4 after an hour")
		}
	})
}

func TestLimiterIsBoundedAndKeepsTheGuilty(t *testing.T) {
	l := newLimiter(3, time.Hour)
	guilty := bucket{login: 1 << 40}
	for range 3 {
		l.take(guilty)
	}
	for i := range 3 * maxBuckets {
		l.take(bucket{login: uint64(i)})
		if len(l.empty) > maxBuckets {
			t.Fatalf("%d buckets", len(l.empty))
		}
	}
	if full, _ := l.isFull(guilty); !full {
		t.Error("a flood of others washed the full bucket away")
	}
}

// proxied is an address of a kind of its own.
type proxied string

func (proxied) Network() string  { return "proxy" }
func (p proxied) String() string { return string(p) }

func TestSource(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:1": "192.0.2.7/32", "[::ffff:192.0.2.7]:1": "192.0.2.7/32", "[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::/64", "[fe80::1%eth0]:1": "fe80::/64",
	} {
		a := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(in))
		if got := source(a).String(); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
	if got := source(proxied("[::ffff:192.0.2.7]:1")).String(); got != "192.0.2.7/32" {
		t.Errorf("an address of another kind: got %s", got)
	}
	for _, a := range []net.Addr{nil, &net.UnixAddr{Name: "@"}, &net.TCPAddr{}} {
		if got := source(a); got.IsValid() {
			t.Errorf("%v: got %v", a, got)
		}
	}
}

// TestFailuresAreSlowed: the whole of it, with a fake clock.
func TestFailuresAreSlowed(t *testing.T) {
	file := write(t, "users", line(t, "joe", "right")+line(t, "ann", "right"))
	for _, user := range []string{"joe", "nobody"} {
		t.Run(user, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, log := open(t, Config{UsersFile: file})
				try := func(address, user, password, want string) {
					t.Helper()
					if got := kind(login(t, a, address, user, password)); got != want {
						t.Fatalf("%s from %s: %s, want %s", user, address, got, want)
					}
				}
				try("192.0.2.1", "ann", "right", "ok")
				for i := range 5 {
					try("192.0.2.1", user, fmt.Sprint("wrong", i), "bad")
				}
				try("192.0.2.1", user, "wrong", "slow")
				try("192.0.2.1", user, "right", "slow")
				try("192.0.2.1", "ann", "right", "ok") // a neighbour
				time.Sleep(10 * time.Second)
				try("192.0.2.1", user, "wrong", "bad")
				try("192.0.2.1", user, "wrong again", "slow")
				if user == "joe" {
					try("192.0.2.2", user, "right", "ok") // from elsewhere
					try("192.0.2.1", user, "right", "slow")
					time.Sleep(10 * time.Second)
					try("192.0.2.1", user, "right", "ok")
				}
				if log.count("login refused") != 6 || log.count("user="+user) != 6 || log.count("from=192.0.2.1:1234") != 6 {
					t.Errorf("logged\n%s", log)
				}
				if log.count("right")+log.count(`password=`) > 0 {
					t.Errorf("the log shows a password\n%s", log)
				}
			})
		})
	}
}

// TestTheSameWrongPasswordCostsOnce: a device with an old password does not keep out those that share its user name, nor
// its neighbours, and is let in when the file holds its password again.
func TestTheSameWrongPasswordCostsOnce(t *testing.T) {
	file := write(t, "users", line(t, "meter", "new")+line(t, "ann", "right"))
	synctest.Test(t, func(t *testing.T) {
		a, log := open(t, Config{UsersFile: file})
		for range 1000 {
			if err := login(t, a, "192.0.2.1", "meter", "old"); kind(err) != "bad" {
				t.Fatal(err)
			}
		}
		for _, user := range []string{"meter", "ann"} {
			if err := login(t, a, "192.0.2.1", user, map[string]string{"meter": "new", "ann": "right"}[user]); err != nil {
				t.Errorf("%s: %v", user, err)
			}
		}
		if n := log.count("login refused"); n != 30 {
			t.Errorf("%d lines in the log", n)
		}
		replaceFile(t, file, line(t, "meter", "old"))
		time.Sleep(lookEvery)
		if err := login(t, a, "192.0.2.1", "meter", "old"); err != nil {
			t.Errorf("with the old password in the file again: %v", err)
		}
	})
}

func TestWrongPasswordsAreBounded(t *testing.T) {
	us, err := parseUsers("users", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * maxWrong {
		p := proof{byte(i), byte(i >> 8)}
		if us.setWrong(p); !us.isWrong(p) || len(us.wrong) > maxWrong {
			t.Fatalf("%d: known %v, %d kept", i, us.isWrong(p), len(us.wrong))
		}
	}
}

func TestOneAddressGuessesWithManyNames(t *testing.T) {
	file := write(t, "users", line(t, "joe", "right")+line(t, "ann", "right"))
	synctest.Test(t, func(t *testing.T) {
		a, log := open(t, Config{UsersFile: file})
		if err := login(t, a, "2001:db8::1", "ann", "right"); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for i := range 1000 { // from many addresses of one network
			got[kind(login(t, a, fmt.Sprintf("2001:db8::%x", i), fmt.Sprint("user", i), "x"))]++
		}
		if got["bad"] != 30 || got["slow"] != 970 {
			t.Errorf("%v, want 30 looked at", got)
		}
		if n := log.count("login refused"); n != 30 {
			t.Errorf("%d lines in the log", n)
		}
		if err := login(t, a, "2001:db8::1", "ann", "right"); err != nil {
			t.Errorf("who was known is refused: %v", err)
		}
		if err := login(t, a, "2001:db8::1", "joe", "right"); kind(err) != "slow" {
			t.Errorf("who was not known: %v", err)
		}
		if err := login(t, a, "2001:db8:0:1::1", "joe", "right"); err != nil {
			t.Errorf("from another network: %v", err)
		}
		if s := a.Stats(); s.Accepted != 3 || s.Failed != 30 || s.Slowed != 971 || s.Users != 2 {
			t.Errorf("%+v", s)
		}
	})
}
