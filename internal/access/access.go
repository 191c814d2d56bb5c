package access

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

// Access decides who may do what, by one configuration. Its methods may be called at once.
type Access struct {
	log       *slog.Logger
	rules     []Rule
	certName  CertificateName
	file      *usersFile // nil: none
	tokens    *tokens    // nil: none are taken
	passwords *passwords
	seed      maphash.Seed
	logins    *limiter // failures of one user or token from one address
	addresses *limiter // failures with passwords from one address
	lines     *limiter // lines in the log for one address
	stats     struct{ accepted, failed, slowed atomic.Uint64 }
}

// Options are what New needs beside the configuration.
type Options struct {
	// Log gets every refusal, with user and address and never the password; nil: nowhere.
	Log *slog.Logger
	// Now is the time by which tokens are judged; nil: time.Now.
	Now func() time.Time
}

// New reads the files that cfg names. It starts nothing, so there is nothing to close.
func New(cfg Config, o Options) (*Access, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Access{
		log: o.Log, rules: slices.Clone(cfg.Access), certName: cfg.CertificateUser,
		passwords: newPasswords(), seed: maphash.MakeSeed(),
		logins: newLimiter(5, 10*time.Second), addresses: newLimiter(30, time.Second), lines: newLimiter(30, 10*time.Second),
	}
	var errs [2]error
	if cfg.UsersFile != "" {
		a.file, errs[0] = openUsers(cfg.UsersFile, o.Log)
	}
	if cfg.JWT.files() > 0 {
		a.tokens, errs[1] = newTokens(cfg.JWT, o.Now)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return a, nil
}

// Request is what a client shows when it connects.
type Request struct {
	// Remote is the client's address; nil or a Unix socket's: none.
	Remote net.Addr
	// ClientID is for the log.
	ClientID string
	// Username and Password are CONNECT's; empty ones are none.
	Username string
	Password []byte
	// Cert is the client's certificate, which TLS has verified; nil: none.
	Cert *x509.Certificate
	// Anonymous says that a client that shows nothing may connect from there.
	Anonymous bool
}

// Identity is who a client is.
type Identity struct {
	// User is the user's name; empty: anonymous.
	User string
	// Expires is when the connection is to be ended; zero: never.
	Expires time.Time
}

// Stats count logins since New.
type Stats struct {
	// Accepted counts identities given; Failed wrong credentials, and clients without any; Slowed what was refused unseen.
	Accepted, Failed, Slowed uint64
	// Users is how many the users file holds.
	Users int
}

// Stats returns the counts so far.
func (a *Access) Stats() Stats {
	s := Stats{Accepted: a.stats.accepted.Load(), Failed: a.stats.failed.Load(), Slowed: a.stats.slowed.Load()}
	if a.file != nil {
		s.Users = len(a.file.last.Load().names)
	}
	return s
}

// Authenticate says who the client is. It may take a second of processor time, and as long as ctx allows when many log in
// at once. Errors: ErrBadCredentials, ErrNotAuthorised, *SlowDownError, or ctx's.
func (a *Access) Authenticate(ctx context.Context, r Request) (Identity, error) {
	id, why, err := a.identify(ctx, r)
	if err == nil {
		a.stats.accepted.Add(1)
		return id, nil
	}
	var slow *SlowDownError
	switch {
	case errors.As(err, &slow):
		a.stats.slowed.Add(1)
		a.log.Debug("login refused", "client", short(r.ClientID), "user", short(r.Username), "from", remote(r.Remote), "why", err)
		return Identity{}, err
	case errors.Is(err, ErrBadCredentials), errors.Is(err, ErrNotAuthorised):
		a.stats.failed.Add(1)
	default:
		why = err.Error()
	}
	if full, _ := a.lines.take(bucket{from: source(r.Remote)}); !full {
		a.log.Warn("login refused", "client", short(r.ClientID), "user", short(r.Username), "from", remote(r.Remote), "why", why)
	}
	return Identity{}, err
}

// identify finds the one way in that applies. why is for the log: it tells what the client must not learn.
func (a *Access) identify(ctx context.Context, r Request) (id Identity, why string, err error) {
	shows := r.Username != "" || len(r.Password) > 0
	switch {
	case a.certName != NoName && r.Cert != nil:
		if id.User, err = certUser(r.Cert, a.certName); err != nil {
			return id, err.Error(), ErrBadCredentials
		}
		return id, "", nil
	case a.tokens != nil && looksLikeToken(r.Password):
		return a.byToken(r)
	case a.file != nil && shows:
		why, err = a.byPassword(ctx, r)
		return Identity{User: r.Username}, why, err
	case a.tokens != nil && shows:
		return id, "the password is no token, and there is no broker.users_file", ErrBadCredentials
	case r.Anonymous:
		return id, "", nil
	case shows:
		why = "nobody can tell whether its user name is right; broker.users_file or broker.jwt would"
	case a.file != nil || a.tokens != nil:
		why = "it shows no user name and password, and broker.anonymous does not let it in"
	default:
		why = "broker.anonymous does not let it in; there are no users, broker.users_file names them"
	}
	return id, why, fmt.Errorf("%w: %s", ErrNotAuthorised, why)
}

// short keeps a line of the log short, whatever a client calls itself.
func short(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func remote(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
