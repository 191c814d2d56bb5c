package access

import (
	"strings"
	"testing"
)

// joe7 was made by mosquitto_passwd 2.0.11 for the password "secret".
const joe7 = "$7$101$+LQpsNEk+T8ATKqw$XsUm+dr4nAJMelp4HLC1+4BRwGiCPR4M/49PJB+S+D3y3R26KfQtXdEJNOQshKjG4aSohEhV7jyryJXlWlv91A=="

func TestHashRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 101} {
		h, err := newHash([]byte("pässword"), n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseHash(h.String())
		if err != nil || !again.equal(h) {
			t.Fatalf("%v is read as %v, %v", h, again, err)
		}
		if ok, err := again.matches([]byte("pässword")); !ok || err != nil {
			t.Errorf("%d iterations: the password does not match, %v", n, err)
		}
		for _, other := range []string{"", "pässwor", "pässword ", "Pässword"} {
			if ok, err := again.matches([]byte(other)); ok || err != nil {
				t.Errorf("%d iterations: %q matches, %v", n, other, err)
			}
		}
	}
	h, err := parseHash(joe7)
	if err != nil || h.iterations != 101 || h.String() != joe7 {
		t.Fatalf("%+v, %v", h, err)
	}
	if ok, _ := h.matches([]byte("secret")); !ok {
		t.Error("mosquitto_passwd's hash does not match")
	}
	for i := range h.sum {
		h.sum[i] ^= 1
		if ok, _ := h.matches([]byte("secret")); ok {
			t.Errorf("byte %d of the hash does not count", i)
		}
		h.sum[i] ^= 1
	}
	a, _ := newHash([]byte("x"), 1)
	b, _ := newHash([]byte("x"), 1)
	if a.equal(b) {
		t.Error("two hashes have one salt")
	}
}

func TestHostileHashes(t *testing.T) {
	good := strings.Split(joe7, "$")
	with := func(at int, s string) string {
		parts := append([]string{}, good...)
		parts[at] = s
		return strings.Join(parts, "$")
	}
	for _, s := range []string{
		"", "$", "$7$", "$7$$$", "secret", "secret$7$1$aa$aa", "$6$only", "$8$" + joe7[3:], "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
		with(2, ""), with(2, "0"), with(2, "-1"), with(2, "2147483648"), with(2, "99999999999999999999"), with(2, "2000001"), with(2, "1e3"), with(2, " 1"),
		with(3, ""), with(3, "secret"), with(3, "!!!!"), with(3, strings.Repeat("AAAA", 1000)),
		with(4, ""), with(4, "AAAA"), with(4, good[4]+"AAAA"), with(4, strings.TrimRight(good[4], "=")), with(4, "secret"), joe7 + "$", joe7 + "$x",
	} {
		h, err := parseHash(s)
		if err == nil {
			t.Errorf("%q is read as %+v", s, h)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", s, err)
		}
	}
}
