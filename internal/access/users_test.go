package access

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseUsers(t *testing.T) {
	text := "\ufeff# plant 1\n\njoe:" + joe7 + "\r\n  \t\n  ann  :  " + joe7 + "  \n#off:x\nmeter 7:" + joe7 // the last line has no end
	us, err := parseUsers("users", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(us.names, "|"); got != "joe|ann|meter 7" {
		t.Errorf("read %s", got)
	}
	for _, name := range us.names {
		if u, known := us.find(name); !known || u != us.byName[name] {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestParseUsersRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"hunter2\n":                             "users:1: not a user",
		"# x\njoe:\n":                           "users:2: not a user",
		":" + joe7:                              "users:1: the user name is empty",
		"joe:hunter2":                           `users:1: user "joe": its password is not hashed`,
		"joe:" + joe7 + "\n\njoe:" + joe7:       `users:3: user "joe" stands in line 1 already`,
		"j\x01oe:" + joe7:                       "control character",
		"j\xffoe:" + joe7:                       "UTF-8",
		strings.Repeat("x", 65536) + ":" + joe7: "too long",
		strings.Repeat("x", 1<<20):              "not a user",
		"joe:$7$" + strings.Repeat("9", 1<<20):  "parts missing",
		"joe:" + strings.Replace(joe7, "101", "2000001", 1): "iterations",
	} {
		us, err := parseUsers("users", []byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, %v; want %q", in, us, err, want)
		} else if strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 400 {
			t.Errorf("%.40q: the error shows too much: %.500v", in, err)
		}
	}
}

func TestManyFaultyLines(t *testing.T) {
	_, err := parseUsers("users", []byte(strings.Repeat("x\n", 1000)))
	if err == nil || strings.Count(err.Error(), "\n") != maxShown || !strings.Contains(err.Error(), "990 more lines") {
		t.Errorf("got %v", err)
	}
}

// TestUnknownUsersCostTheSame: to an unknown user belongs a known one, always the same, whose hash is computed.
func TestUnknownUsersCostTheSame(t *testing.T) {
	us, err := parseUsers("users", []byte("a:"+joe7+"\nb:"+joe7+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[*user]bool{}
	for i := range 100 {
		name := fmt.Sprint("nobody", i)
		u, known := us.find(name)
		if again, _ := us.find(name); known || u == nil || u != again || len(u.sum) == 0 {
			t.Fatalf("%s: %v, %v, then %v", name, u, known, again)
		}
		seen[u] = true
	}
	if len(seen) != 2 {
		t.Errorf("%d of 2 users lend their hash", len(seen))
	}
	none, err := parseUsers("users", nil)
	if err != nil {
		t.Fatal(err)
	}
	if u, known := none.find("x"); known || u.iterations != iterations {
		t.Errorf("without users: %+v, %v", u, known)
	}
}

func FuzzUsers(f *testing.F) {
	f.Add([]byte("joe:" + joe7 + "\n# x\n\nann:$6$AAAA$BBBB\n"))
	f.Add([]byte("joe:" + joe7 + "\njoe:" + joe7))
	f.Add([]byte(":::\n$7$\n\xff:\r\n\ufeff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		us, err := parseUsers("users", text)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, name := range us.names {
			if u, known := us.find(name); !known || u.iterations > maxIterations || len(u.sum) != 64 || checkUser(name) != nil {
				t.Fatalf("user %q: %+v", name, u)
			}
			fmt.Fprintf(&b, "%s:%v\n", name, us.byName[name].hash)
		}
		again, err := parseUsers("users", []byte(b.String()))
		if err != nil || strings.Join(again.names, "\n") != strings.Join(us.names, "\n") {
			t.Fatalf("written as %q, read again as %v, %v", b.String(), again, err)
		}
	})
}
