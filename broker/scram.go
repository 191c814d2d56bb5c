package broker

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// scramMethod is the authentication method, as RFC 7677 names it.
const scramMethod = "SCRAM-SHA-256"

// Verifiers hold what SCRAM-SHA-256 users are checked with. The method is offered when Options have them.
type Verifiers interface {
	// Verifier returns a user's; false: there is no such user. It is called by many connections at once and must not wait for
	// anything.
	Verifier(user string) (Verifier, bool)
}

// Verifier is what a server keeps of a SCRAM-SHA-256 password (RFC 5802 §3). It does not let anybody log in who steals it, but
// lets him try passwords.
type Verifier struct {
	// Salt is 16 bytes or so, of the user's own; Iterations 4,096 or more (RFC 7677 §4).
	Salt       []byte
	Iterations int
	// StoredKey and ServerKey are 32 bytes each.
	StoredKey, ServerKey []byte
}

// NewVerifier makes a verifier with a salt of its own. The password is taken as it is: SASLprep leaves ASCII alone.
func NewVerifier(password string, iterations int) (Verifier, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return Verifier{}, err
	}
	return verifierOf(password, salt, iterations)
}

func verifierOf(password string, salt []byte, iterations int) (Verifier, error) {
	if iterations < 4096 {
		return Verifier{}, fmt.Errorf("%d iterations; use 4096 or more (RFC 7677)", iterations)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return Verifier{}, err
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return Verifier{Salt: salt, Iterations: iterations, StoredKey: stored[:], ServerKey: mac(salted, "Server Key")}, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// scram is one exchange, seen from the server (RFC 5802 §3):
//
//	client-first ──► first ──► server-first;  client-final ──► final ──► server-final
type scram struct {
	user     string
	verifier Verifier
	known    bool   // there is such a user: one that is not must look like one whose password is wrong
	gs2      string // the header, whose copy client-final must bring
	nonce    string
	text     string // of client-first without its header, and of server-first
}

var errScram = errors.New("wrong user name or password")

// first takes client-first: n,,n=user,r=nonce
func (s *scram) first(message []byte, users Verifiers, nonce string, secret []byte) (answer []byte, err error) {
	m := string(message)
	binding, rest, ok1 := strings.Cut(m, ",")
	authzid, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 {
		return nil, errors.New("client-first-message is malformed")
	}
	if binding != "n" && binding != "y" {
		return nil, errors.New("channel binding is not supported")
	}
	s.gs2 = m[:len(m)-len(bare)]
	name, rest, _ := strings.Cut(bare, ",")
	clientNonce, _, _ := strings.Cut(rest, ",")
	name, ok1 = strings.CutPrefix(name, "n=")
	clientNonce, ok2 = strings.CutPrefix(clientNonce, "r=")
	if !ok1 || !ok2 || !printable(clientNonce) || len(clientNonce) > 256 {
		return nil, errors.New("client-first-message is malformed")
	}
	if s.user, ok1 = unescape(name); !ok1 || s.user == "" {
		return nil, errors.New("the user name of client-first-message is malformed")
	}
	if authzid != "" && authzid != "a="+name {
		return nil, errors.New("nobody may act for another user")
	}
	if s.verifier, s.known = users.Verifier(s.user); !s.known {
		s.verifier = Verifier{Salt: mac(secret, s.user)[:16], Iterations: 4096, StoredKey: secret, ServerKey: secret}
	}
	s.nonce = clientNonce + nonce
	answer = fmt.Appendf(nil, "r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString(s.verifier.Salt), s.verifier.Iterations)
	s.text = bare + "," + string(answer)
	return answer, nil
}

// final takes client-final: c=header,r=nonce,p=proof. The exchange has succeeded when there is no error.
func (s *scram) final(message []byte) (answer []byte, err error) {
	without, proof, ok := strings.Cut(string(message), ",p=")
	if !ok || without != "c="+base64.StdEncoding.EncodeToString([]byte(s.gs2))+",r="+s.nonce {
		return nil, errors.New("client-final-message is malformed, or of another exchange")
	}
	key, err := base64.StdEncoding.DecodeString(proof)
	if err != nil || len(key) != sha256.Size {
		return nil, errors.New("the proof of client-final-message is malformed")
	}
	s.text += "," + without
	for i, b := range mac(s.verifier.StoredKey, s.text) {
		key[i] ^= b
	}
	stored := sha256.Sum256(key)
	if !hmac.Equal(stored[:], s.verifier.StoredKey) || !s.known {
		return nil, errScram
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(mac(s.verifier.ServerKey, s.text))), nil
}

// unescape reads a saslname: =2C is a comma and =3D is =.
func unescape(name string) (string, bool) {
	rest := strings.NewReplacer("=2C", "", "=3D", "").Replace(name)
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name), !strings.Contains(rest, "=")
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x21 || r > 0x7E || r == ',' {
			return false
		}
	}
	return s != ""
}

// String never shows a key.
func (v Verifier) String() string {
	return "verifier with " + strconv.Itoa(v.Iterations) + " iterations"
}
