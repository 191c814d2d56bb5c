package access

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// skew is how much earlier than nbf a token is taken, as no two clocks agree. exp is kept to the second.
const skew = time.Minute

// lastSecond is the end of the year 9999; what is later is no date, and would overflow somewhere.
const lastSecond = 253402300799

type tokens struct {
	now    func() time.Time
	keys   map[string]jwt.VerificationKeySet // by algorithm
	parser *jwt.Parser
}

func newTokens(c JWT, now func() time.Time) (*tokens, error) {
	keys, err := readKeys(c)
	if err != nil {
		return nil, err
	}
	t := &tokens{now: now, keys: map[string]jwt.VerificationKeySet{}}
	for algorithm, ks := range keys {
		var set jwt.VerificationKeySet
		for _, k := range ks {
			set.Keys = append(set.Keys, k)
		}
		t.keys[algorithm] = set
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(slices.Collect(maps.Keys(keys))), jwt.WithStrictDecoding(),
		jwt.WithExpirationRequired(), jwt.WithLeeway(skew), jwt.WithTimeFunc(now),
	}
	if c.Issuer != "" {
		options = append(options, jwt.WithIssuer(c.Issuer))
	}
	if c.Audience != "" {
		options = append(options, jwt.WithAudience(c.Audience))
	}
	t.parser = jwt.NewParser(options...)
	return t, nil
}

// looksLikeToken says whether a password has the form of a signed token (RFC 7515 §3.1): its first part is a JSON object
// in base64, which begins with "ey".
func looksLikeToken(password []byte) bool {
	return bytes.HasPrefix(password, []byte("ey")) && bytes.Count(password, []byte(".")) == 2
}

// verify says whose the token is and when it ends. The key's kind decides the algorithm, not the token.
func (t *tokens) verify(token string) (Identity, error) {
	if strings.ContainsAny(token, "\r\n") {
		return Identity{}, errors.New("token: a line break in it") // the decoder of base64 would pass over it
	}
	var claims jwt.RegisteredClaims
	_, err := t.parser.ParseWithClaims(token, &claims, func(token *jwt.Token) (any, error) {
		if _, found := token.Header["crit"]; found {
			return nil, errors.New("it has critical extensions, none of which is known") // RFC 7515 §4.1.11
		}
		return t.keys[token.Method.Alg()], nil
	})
	if err != nil {
		return Identity{}, fmt.Errorf("token: %w", err)
	}
	expires := claims.ExpiresAt.Time
	switch {
	case expires.Unix() < 0 || expires.Unix() > lastSecond:
		return Identity{}, errors.New("token: exp is no date before the year 10000")
	case !t.now().Before(expires):
		return Identity{}, fmt.Errorf("token: expired at %s", expires.UTC().Format(time.RFC3339))
	case !isName(claims.Subject):
		return Identity{}, errors.New("token: sub is no user name: it is missing, too long, or has a control character in it")
	}
	return Identity{User: claims.Subject, Expires: expires}, nil
}

// byToken checks the token in the password. A guess is hopeless and a check is cheap, so that only one that failed before
// is refused unseen; the user name beside it counts for nothing.
func (a *Access) byToken(r Request) (Identity, string, error) {
	login := bucket{from: source(r.Remote), login: maphash.Bytes(a.seed, r.Password)}
	if full, until := a.logins.isFull(login); full {
		return Identity{}, "", &SlowDownError{Until: until}
	}
	id, err := a.tokens.verify(string(r.Password))
	if err != nil {
		a.logins.take(login)
		return Identity{}, err.Error(), ErrBadCredentials
	}
	return id, "", nil
}
