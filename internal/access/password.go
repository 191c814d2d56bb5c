package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"sync"
)

// proof is a hash of a user name and a password under a key that only this process knows.
type proof [sha256.Size]byte

// passwords guards the work of hashing.
type passwords struct {
	key   [32]byte
	slots chan struct{} // as many as may hash at a time

	mu      sync.Mutex
	flights map[proof]*flight
}

// flight is a password being checked; others with the same name and password wait for it.
type flight struct {
	done chan struct{}
	err  error // read it after done
}

func newPasswords() *passwords {
	p := &passwords{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), flights: map[proof]*flight{}}
	rand.Read(p.key[:])
	return p
}

func (p *passwords) proof(name string, password []byte) (sum proof) {
	h := hmac.New(sha256.New, p.key[:])
	fmt.Fprintf(h, "%d:%s", len(name), name)
	h.Write(password)
	h.Sum(sum[:0])
	return sum
}

// byPassword checks name and password against the users file. why is for the log.
func (a *Access) byPassword(ctx context.Context, r Request) (why string, err error) {
	if len(r.Password) == 0 {
		return "no password", ErrBadCredentials
	}
	us := a.file.current()
	u, known := us.find(r.Username)
	p := a.passwords.proof(r.Username, r.Password)
	login := bucket{from: source(r.Remote), login: maphash.String(a.seed, r.Username)}
	why = "unknown user"
	if known {
		why = "wrong password"
	}
	for {
		if u.proved(p) && known {
			if full, until := a.logins.isFull(login); full {
				return why, &SlowDownError{Until: until}
			}
			return why, nil
		}
		if us.isWrong(p) {
			return why, ErrBadCredentials
		}
		f, first := a.passwords.join(p)
		if first {
			if f.err = a.check(ctx, login, u, known, r.Password, p); errors.Is(f.err, ErrBadCredentials) {
				us.setWrong(p)
			}
			a.passwords.leave(p, f)
			return why, f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return why, fmt.Errorf("waiting for the same login of another: %w", ctx.Err())
		}
		// The password is proved now, or known to be wrong, or the other one was refused for reasons of his own.
	}
}

// check hashes a password that was not proved before. The attempt is paid for first, and paid back if it was right, so
// that many attempts at once get no more than their share; whether the name is known makes no difference.
func (a *Access) check(ctx context.Context, login bucket, u *user, known bool, password []byte, p proof) error {
	if full, until := a.logins.take(login); full {
		return &SlowDownError{Until: until}
	}
	select {
	case a.passwords.slots <- struct{}{}:
		defer func() { <-a.passwords.slots }()
	case <-ctx.Done():
		a.logins.giveBack(login)
		return fmt.Errorf("too many log in at once: %w", ctx.Err())
	}
	address := bucket{from: login.from}
	if full, until := a.addresses.take(address); full {
		return &SlowDownError{Until: until}
	}
	right, err := u.matches(password)
	if err == nil && !(right && known) {
		return ErrBadCredentials
	}
	a.logins.giveBack(login)
	a.addresses.giveBack(address)
	if err != nil {
		return fmt.Errorf("hashing a password: %w", err)
	}
	u.proof.Store(&p)
	return nil
}

// proved says whether p belongs to the password that was proved right before.
func (u *user) proved(p proof) bool {
	var have proof
	if stored := u.proof.Load(); stored != nil {
		have = *stored
	}
	return hmac.Equal(have[:], p[:])
}

func (p *passwords) join(key proof) (f *flight, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f = p.flights[key]; f != nil {
		return f, false
	}
	f = &flight{done: make(chan struct{})}
	p.flights[key] = f
	return f, true
}

func (p *passwords) leave(key proof, f *flight) {
	p.mu.Lock()
	delete(p.flights, key)
	p.mu.Unlock()
	close(f.done)
}
