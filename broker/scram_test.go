package broker

import (
	"encoding/base64"
	"strings"
	"testing"
)

type users map[string]Verifier

func (u users) Verifier(name string) (Verifier, bool) {
	v, ok := u[name]
	return v, ok
}

// bookUsers has the user of RFC 7677 §3, whose password is pencil.
func bookUsers(t *testing.T, name string) users {
	t.Helper()
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifierOf("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	return users{name: v}
}

const (
	bookFirst  = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	bookNonce  = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	bookAnswer = "r=rOprNGfwEbeRWgbNEkqO" + bookNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	bookFinal  = "c=biws,r=rOprNGfwEbeRWgbNEkqO" + bookNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	bookEnd    = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func TestScramByTheBook(t *testing.T) {
	var s scram
	answer, err := s.first([]byte(bookFirst), bookUsers(t, "user"), bookNonce, []byte("secret"))
	if err != nil || string(answer) != bookAnswer || s.user != "user" {
		t.Fatalf("%q for %q, %v; want %q", answer, s.user, err, bookAnswer)
	}
	end, err := s.final([]byte(bookFinal))
	if err != nil || string(end) != bookEnd {
		t.Fatalf("%q, %v; want %q", end, err, bookEnd)
	}
}

func TestScramRefuses(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	for name, c := range map[string]struct{ first, final string }{
		"nothing":                  {"", ""},
		"one comma":                {"n,n=user", ""},
		"channel binding":          {"p=tls-unique,,n=user,r=abc", ""},
		"another method's":         {"x,,n=user,r=abc", ""},
		"another user's rights":    {"n,a=admin,n=user,r=abc", ""},
		"an extension":             {"n,,m=x,n=user,r=abc", ""},
		"no user":                  {"n,,n=,r=abc", ""},
		"a bad escape":             {"n,,n=us=er,r=abc", ""},
		"no nonce":                 {"n,,n=user,r=", ""},
		"no nonce at all":          {"n,,n=user", ""},
		"a nonce of control bytes": {"n,,n=user,r=a\x01", ""},
		"a nonce that never ends":  {"n,,n=user,r=" + strings.Repeat("x", 300), ""},
		"a wrong proof":            {bookFirst, strings.Replace(bookFinal, "p=dH", "p=eH", 1)},
		"a short proof":            {bookFirst, strings.Replace(bookFinal, "p=dHzb", "p=", 1)},
		"no proof":                 {bookFirst, "c=biws,r=rOprNGfwEbeRWgbNEkqO" + bookNonce},
		"another nonce":            {bookFirst, strings.Replace(bookFinal, "FIlj", "FIlk", 1)},
		"another header":           {bookFirst, strings.Replace(bookFinal, "c=biws", "c=eSws", 1)},
		"a user who is not known":  {strings.Replace(bookFirst, "n=user", "n=loser", 1), bookFinal},
	} {
		t.Run(name, func(t *testing.T) {
			var s scram
			answer, err := s.first([]byte(c.first), bookUsers(t, "user"), bookNonce, secret)
			if c.final == "" {
				if err == nil {
					t.Fatalf("answered with %q", answer)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if end, err := s.final([]byte(c.final)); err == nil {
				t.Fatalf("let in, with %q", end)
			}
		})
	}
}

func TestAScramUserWhoIsNotKnownLooksLikeAnother(t *testing.T) {
	var salts []string
	for _, name := range []string{"a", "a", "b"} {
		var s scram
		answer, err := s.first([]byte("n,,n="+name+",r=abc"), users{}, "server", []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		salts = append(salts, string(answer))
	}
	if salts[0] != salts[1] || salts[0] == salts[2] {
		t.Errorf("the salts tell that there are no such users: %q", salts)
	}
}

func TestVerifiers(t *testing.T) {
	if _, err := NewVerifier("x", 4095); err == nil {
		t.Error("4,095 iterations are too few")
	}
	v, err := NewVerifier("pencil", 5000)
	if err != nil || len(v.Salt) != 16 || v.Iterations != 5000 || len(v.StoredKey) != 32 || len(v.ServerKey) != 32 {
		t.Errorf("%d, %v", len(v.Salt), err)
	}
	if s := v.String(); s != "verifier with 5000 iterations" {
		t.Error(s)
	}
	name, ok := unescape("a=2Cb=3Dc")
	if name != "a,b=c" || !ok {
		t.Errorf("%q %v", name, ok)
	}
}

func FuzzScram(f *testing.F) {
	f.Add([]byte(bookFirst), []byte(bookFinal))
	f.Add([]byte("y,a=user,n=user,r=x,t=extension"), []byte("c=eSxhPXVzZXIs,r=x,p="))
	f.Fuzz(func(t *testing.T, first, final []byte) {
		var s scram
		if _, err := s.first(first, bookUsers(t, "user"), bookNonce, []byte("secret")); err != nil {
			return
		}
		if _, err := s.final(final); err == nil && string(first) != bookFirst {
			t.Errorf("%q let in", first)
		}
	})
}
