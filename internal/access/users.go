package access

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

const (
	maxUsersFile = 16 << 20
	// maxShown is how many faulty lines one error names.
	maxShown = 10
	// maxName is the longest string MQTT can carry (MQTT-1.5.4).
	maxName = 65535
)

// users are the users of a file, as it was read.
type users struct {
	byName map[string]*user
	names  []string // in the file's order
	seed   maphash.Seed

	mu sync.Mutex
	// wrong holds names and passwords that were refused, as keyed hashes: a device that tries the same wrong password
	// over and over is answered from here. The next reading of the file begins anew.
	wrong map[proof]struct{}
}

// maxWrong bounds wrong, to about 200 kB; beyond it any one is forgotten.
const maxWrong = 4096

type user struct {
	hash
	line int
	// proof is the keyed hash of the password that was proved right; nil: none was yet.
	proof atomic.Pointer[proof]
}

// parseUsers reads a users file. The error names up to ten faulty lines, as path:line, and shows nothing of a password.
func parseUsers(path string, text []byte) (*users, error) {
	us := &users{byName: map[string]*user{}, seed: maphash.MakeSeed(), wrong: map[proof]struct{}{}}
	var errs []error
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		n++
		name, hashed, used := splitLine(line)
		if !used {
			continue
		}
		if err := us.add(name, hashed, n); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", path, n, err))
		}
	}
	if more := len(errs) - maxShown; more > 0 {
		errs = append(errs[:maxShown], fmt.Errorf("%s: %d more lines are wrong", path, more))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return us, nil
}

// splitLine takes a line apart at its first colon; used is false for comments and blank lines.
func splitLine(line []byte) (name, hashed string, used bool) {
	if len(line) == 0 || line[0] == '#' || len(bytes.TrimSpace(line)) == 0 {
		return "", "", false
	}
	before, after, _ := bytes.Cut(line, []byte(":"))
	return string(bytes.TrimSpace(before)), string(bytes.TrimSpace(after)), true
}

func (us *users) add(name, hashed string, line int) error {
	if hashed == "" {
		return errors.New("not a user; name:hash is expected") // without the name, which may be a password
	}
	if err := checkUser(name); err != nil {
		return err
	}
	if first := us.byName[name]; first != nil {
		return fmt.Errorf("user %s stands in line %d already; remove one of them", shown(name), first.line)
	}
	h, err := parseHash(hashed)
	if err != nil {
		return fmt.Errorf("user %s: %w", shown(name), err)
	}
	us.byName[name] = &user{hash: h, line: line}
	us.names = append(us.names, name)
	return nil
}

// isName says whether s can be a user's name, wherever it comes from.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// checkUser says why name cannot stand in a users file.
func checkUser(name string) error {
	switch {
	case name == "":
		return errors.New("the user name is empty")
	case !isName(name):
		return fmt.Errorf("user name %s is too long, not well-formed UTF-8, or has a control character in it", shown(name))
	case name[0] == '#' || strings.Contains(name, ":") || strings.TrimSpace(name) != name:
		return fmt.Errorf("user name %s begins with #, has a colon in it, or a space at an end; the file cannot hold that", shown(name))
	}
	return nil
}

// find returns the user of that name. If there is none, known is false and u another user, always the same for a name,
// whose hash is to be computed in vain, so that the time does not tell.
func (us *users) find(name string) (u *user, known bool) {
	if u, known = us.byName[name]; known {
		return u, true
	}
	if len(us.names) == 0 {
		return &user{hash: hash{iterations: iterations, salt: make([]byte, saltBytes)}}, false
	}
	other := us.names[maphash.String(us.seed, name)%uint64(len(us.names))]
	return us.byName[other], false
}

func (us *users) isWrong(p proof) bool {
	us.mu.Lock()
	defer us.mu.Unlock()
	_, found := us.wrong[p]
	return found
}

func (us *users) setWrong(p proof) {
	us.mu.Lock()
	defer us.mu.Unlock()
	if len(us.wrong) >= maxWrong {
		for other := range us.wrong {
			delete(us.wrong, other)
			break
		}
	}
	us.wrong[p] = struct{}{}
}

// inherit keeps what was proved of the users that have not changed.
func (us *users) inherit(old *users) {
	for name, u := range us.byName {
		if before := old.byName[name]; before != nil && before.equal(u.hash) {
			u.proof.Store(before.proof.Load())
		}
	}
}

// shown is a client's word in quotes, short enough for a line of a log.
func shown(s string) string {
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
