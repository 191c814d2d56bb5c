package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const secret = "0123456789abcdef0123456789abcdef"

// issuer holds keys of each kind, and the files edged gets of them.
type issuer struct {
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	ed    ed25519.PrivateKey
	files JWT
}

func public(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func newIssuer(t testing.TB) (i issuer) {
	t.Helper()
	var errs [3]error
	i.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	i.ec, errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, i.ed, errs[2] = ed25519.GenerateKey(rand.Reader)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []crypto.PublicKey{i.rsa.Public(), i.ec.Public(), i.ed.Public()} {
		i.files.PublicKeys = append(i.files.PublicKeys, write(t, "key.pem", public(t, key)))
	}
	i.files.SecretFiles = []string{write(t, "secret", secret+"\n")}
	return i
}

var today = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func openTokens(t testing.TB, c JWT) *Access {
	t.Helper()
	a, err := New(Config{JWT: c, UsersFile: write(t, "users", line(t, "joe", "right"))}, Options{Now: func() time.Time { return today }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims, header ...string) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for i := 0; i < len(header); i += 2 {
		token.Header[header[i]] = header[i+1]
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// good are claims with changes: a nil value takes one away.
func good(changes jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "meter-1", "exp": today.Add(time.Hour).Unix(), "iss": "plant", "aud": []string{"x", "edged"}}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func TestTokens(t *testing.T) {
	i := newIssuer(t)
	c := i.files
	c.Issuer, c.Audience = "plant", "edged"
	a := openTokens(t, c)
	for _, m := range []struct {
		method jwt.SigningMethod
		key    any
	}{{jwt.SigningMethodHS256, []byte(secret)}, {jwt.SigningMethodRS256, i.rsa}, {jwt.SigningMethodES256, i.ec}, {jwt.SigningMethodEdDSA, i.ed}} {
		for name, claims := range map[string]jwt.MapClaims{
			"plain": nil, "nbf just ahead of our clock": {"nbf": today.Add(30 * time.Second).Unix()}, "one audience": {"aud": "edged"}, "more claims": {"x": map[string]any{"y": 1}},
		} {
			id, err := a.Authenticate(soon(t), Request{Username: "anything", Password: []byte(sign(t, m.method, m.key, good(claims)))})
			if err != nil || id.User != "meter-1" || !id.Expires.Equal(today.Add(time.Hour)) {
				t.Errorf("%s, %s: got %v, %v", m.method.Alg(), name, id, err)
			}
		}
	}
	// A password of a user, beside the tokens.
	if err := login(t, a, "192.0.2.1", "joe", "right"); err != nil {
		t.Error(err)
	}
}

func TestTokenAttacks(t *testing.T) {
	i := newIssuer(t)
	c := i.files
	c.Issuer, c.Audience = "plant", "edged"
	a := openTokens(t, c)
	other := newIssuer(t)
	rsaPEM, ecPEM := []byte(public(t, i.rsa.Public())), []byte(public(t, i.ec.Public()))
	hs := func(changes jwt.MapClaims) string {
		return sign(t, jwt.SigningMethodHS256, []byte(secret), good(changes))
	}
	valid := hs(nil)
	parts := strings.Split(valid, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	for name, token := range map[string]string{
		"none":                      sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good(nil)),
		"None, another case":        b64([]byte(`{"alg":"None"}`)) + "." + parts[1] + ".",
		"no algorithm":              b64([]byte(`{}`)) + "." + parts[1] + "." + parts[2],
		"algorithm no string":       b64([]byte(`{"alg":["HS256"]}`)) + "." + parts[1] + "." + parts[2],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"cut signature":             valid[:len(valid)-4],
		"other claims":              parts[0] + "." + b64([]byte(`{"sub":"root","exp":99999999999,"iss":"plant","aud":"edged"}`)) + "." + parts[2],
		"RSA key as HMAC secret":    sign(t, jwt.SigningMethodHS256, rsaPEM, good(nil)),
		"trimmed":                   sign(t, jwt.SigningMethodHS256, []byte(strings.TrimSpace(string(rsaPEM))), good(nil)),
		"EC key as HMAC secret":     sign(t, jwt.SigningMethodHS256, ecPEM, good(nil)),
		"Ed25519 key as secret":     sign(t, jwt.SigningMethodHS256, []byte(i.ed.Public().(ed25519.PublicKey)), good(nil)),
		"empty secret":              sign(t, jwt.SigningMethodHS256, []byte{}, good(nil)),
		"HS512 with the secret":     sign(t, jwt.SigningMethodHS512, []byte(secret), good(nil)),
		"RS512":                     sign(t, jwt.SigningMethodRS512, i.rsa, good(nil)),
		"PS256":                     sign(t, jwt.SigningMethodPS256, i.rsa, good(nil)),
		"another RSA key":           sign(t, jwt.SigningMethodRS256, other.rsa, good(nil)),
		"another EC key":            sign(t, jwt.SigningMethodES256, other.ec, good(nil)),
		"another Ed25519 key":       sign(t, jwt.SigningMethodEdDSA, other.ed, good(nil)),
		"a key of its own (jwk)":    sign(t, jwt.SigningMethodRS256, other.rsa, good(nil), "jku", "https://example.com/keys", "kid", "../../dev/null"),
		"critical extension":        sign(t, jwt.SigningMethodHS256, []byte(secret), good(nil), "crit", "exp"),
		"no exp":                    hs(jwt.MapClaims{"exp": nil}),
		"exp 0":                     hs(jwt.MapClaims{"exp": 0}),
		"exp negative":              hs(jwt.MapClaims{"exp": -1}),
		"exp no number":             hs(jwt.MapClaims{"exp": "tomorrow"}),
		"exp null":                  parts[0] + ".e30." + parts[2],
		"exp beyond all":            hs(jwt.MapClaims{"exp": 1e300}),
		"exp in the year 10000":     hs(jwt.MapClaims{"exp": int64(lastSecond + 1)}),
		"expired this second":       hs(jwt.MapClaims{"exp": today.Unix()}),
		"expired within the leeway": hs(jwt.MapClaims{"exp": today.Add(-time.Second).Unix()}),
		"not yet valid":             hs(jwt.MapClaims{"nbf": today.Add(2 * time.Minute).Unix()}),
		"another issuer":            hs(jwt.MapClaims{"iss": "plant2"}),
		"no issuer":                 hs(jwt.MapClaims{"iss": nil}),
		"another audience":          hs(jwt.MapClaims{"aud": []string{"x", "y"}}),
		"no audience":               hs(jwt.MapClaims{"aud": nil}),
		"no subject":                hs(jwt.MapClaims{"sub": nil}),
		"empty subject":             hs(jwt.MapClaims{"sub": ""}),
		"subject no string":         hs(jwt.MapClaims{"sub": 7}),
		"subject with a newline":    hs(jwt.MapClaims{"sub": "a\nb"}),
		"subject too long":          hs(jwt.MapClaims{"sub": strings.Repeat("x", maxName+1)}),
		"claims no object":          parts[0] + "." + b64([]byte(`[]`)) + "." + parts[2],
		"not base64":                "ey!." + parts[1] + "." + parts[2],
		"deep":                      parts[0] + "." + b64([]byte(strings.Repeat("[", 40_000))) + "." + parts[2],
		"four parts":                valid + ".x",
		"two parts":                 parts[0] + "." + parts[1],
		"padded":                    valid + "=",
		"a line after it":           valid + "\n",
	} {
		id, err := a.Authenticate(soon(t), Request{Remote: from("192.0.2.1"), Username: "meter-1", Password: []byte(token), Anonymous: true})
		if err == nil || id != (Identity{}) || (kind(err) != "bad" && kind(err) != "slow") {
			t.Errorf("%s: got %v, %v", name, id, err)
		}
	}
	if id, err := a.Authenticate(soon(t), Request{Remote: from("192.0.2.1"), Password: []byte(valid)}); err != nil || id.User != "meter-1" {
		t.Errorf("after all that: %v, %v", id, err)
	}
}

// TestOneBadTokenIsSlowed: what failed before is refused unseen, but another token from there is looked at.
func TestOneBadTokenIsSlowed(t *testing.T) {
	i := newIssuer(t)
	a := openTokens(t, i.files)
	old := sign(t, jwt.SigningMethodEdDSA, i.ed, good(jwt.MapClaims{"exp": 1}))
	for n := range 7 {
		want := "bad"
		if n >= 5 {
			want = "slow"
		}
		if got := kind(login(t, a, "192.0.2.1", "x", old)); got != want {
			t.Fatalf("attempt %d: %s, want %s", n, got, want)
		}
	}
	if _, err := a.Authenticate(soon(t), Request{Remote: from("192.0.2.1"), Password: []byte(sign(t, jwt.SigningMethodEdDSA, i.ed, good(nil)))}); err != nil {
		t.Errorf("a good token from there: %v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	i := newIssuer(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(i.ed)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(i.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]JWT{
		"no PEM block":        {PublicKeys: []string{write(t, "k", secret)}},
		"a private key":       {PublicKeys: []string{write(t, "k", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))}},
		"1024 bits":           {PublicKeys: []string{write(t, "k", public(t, short.Public()))}},
		"RSA, P-256":          {PublicKeys: []string{write(t, "k", public(t, p384.Public()))}},
		`PEM block "X"`:       {PublicKeys: []string{write(t, "k", "-----BEGIN X-----\nAAAA\n-----END X-----\n")}},
		"asn1":                {PublicKeys: []string{write(t, "k", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")}},
		"no such file":        {PublicKeys: []string{filepath.Join(t.TempDir(), "none")}},
		"31 bytes":            {SecretFiles: []string{write(t, "s", secret[:31]+"\n")}},
		"name it in":          {SecretFiles: []string{i.files.PublicKeys[0]}},
		"a key or a":          {SecretFiles: []string{write(t, "s", string(der))}},
		"jwt.secret_files[1]": {SecretFiles: []string{i.files.SecretFiles[0], t.TempDir()}},
	} {
		if _, err := New(Config{JWT: c}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		} else if strings.Contains(err.Error(), secret[:16]) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	if err := os.Chmod(i.files.SecretFiles[0], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{JWT: i.files}, Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a secret everybody may read: %v", err)
	}
}
