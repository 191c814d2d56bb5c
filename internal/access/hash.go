package access

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// iterations is what AddUser hashes with (OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA512).
	iterations = 210_000
	// maxIterations bounds what one login can cost: some seconds.
	maxIterations = 2_000_000
	// saltBytes is what mosquitto 2.0 takes.
	saltBytes = 12
	maxSalt   = 256
)

// hash is a password's hash as mosquitto_passwd writes it: "$7$iterations$salt$sum" or "$6$salt$sum", both in base64.
type hash struct {
	iterations int // of PBKDF2-HMAC-SHA512; 0: one SHA-512 over password and salt
	salt, sum  []byte
}

func newHash(password []byte, iterations int) (hash, error) {
	h := hash{iterations: iterations, salt: make([]byte, saltBytes)}
	rand.Read(h.salt)
	var err error
	h.sum, err = h.of(password)
	return h, err
}

// parseHash reads a hash. Its errors repeat nothing of s, which may be a password that somebody forgot to hash.
func parseHash(s string) (hash, error) {
	var h hash
	parts := strings.Split(s, "$")
	switch {
	case len(parts) == 5 && parts[0] == "" && parts[1] == "7":
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 || n > maxIterations {
			return hash{}, fmt.Errorf("the iterations of its hash are not a number from 1 to %d", maxIterations)
		}
		h.iterations = n
	case len(parts) == 4 && parts[0] == "" && parts[1] == "6":
	case strings.HasPrefix(s, "$7$") || strings.HasPrefix(s, "$6$"):
		return hash{}, errors.New("its hash has parts missing or too many; $7$iterations$salt$hash is expected")
	case strings.HasPrefix(s, "$argon2id$"):
		return hash{}, errors.New("argon2id is not known; set the password again with edged users add")
	default:
		return hash{}, errors.New("its password is not hashed; do mosquitto_passwd -U, or set it again with edged users add")
	}
	var err error
	if h.salt, err = base64.StdEncoding.DecodeString(parts[len(parts)-2]); err != nil || len(h.salt) == 0 || len(h.salt) > maxSalt {
		return hash{}, fmt.Errorf("the salt of its hash is not 1 to %d bytes in base64", maxSalt)
	}
	if h.sum, err = base64.StdEncoding.DecodeString(parts[len(parts)-1]); err != nil || len(h.sum) != sha512.Size {
		return hash{}, fmt.Errorf("its hash is not %d bytes in base64", sha512.Size)
	}
	return h, nil
}

func (h hash) String() string {
	salt, sum := base64.StdEncoding.EncodeToString(h.salt), base64.StdEncoding.EncodeToString(h.sum)
	if h.iterations == 0 {
		return "$6$" + salt + "$" + sum
	}
	return "$7$" + strconv.Itoa(h.iterations) + "$" + salt + "$" + sum
}

// of hashes a password with h's salt.
func (h hash) of(password []byte) ([]byte, error) {
	if h.iterations == 0 {
		salted := append(append(make([]byte, 0, len(password)+len(h.salt)), password...), h.salt...)
		sum := sha512.Sum512(salted)
		return sum[:], nil
	}
	return pbkdf2.Key(sha512.New, string(password), h.salt, h.iterations, sha512.Size)
}

func (h hash) matches(password []byte) (bool, error) {
	sum, err := h.of(password)
	return err == nil && subtle.ConstantTimeCompare(sum, h.sum) == 1, err
}

func (h hash) equal(other hash) bool { return h.String() == other.String() }
