package access

import (
	"errors"
	"fmt"
	"strings"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// Config is the part of the configuration's section `broker` that says who may do what.
type Config struct {
	// UsersFile is the file of names and hashed passwords, as mosquitto_passwd and edged users write it; empty: none.
	UsersFile string `yaml:"users_file"`
	// Access holds the rules. The first whose user matches decides; none: everything is allowed but writing $SYS.
	Access []Rule `yaml:"access"`
	// CertificateUser says which name in a client's certificate is its user name; empty: certificates name nobody.
	CertificateUser CertificateName `yaml:"certificate_user"`
	// JWT says which tokens are taken in place of a password.
	JWT JWT `yaml:"jwt"`
}

// Rule says what some users may do.
type Rule struct {
	// User is a pattern for user names in which * stands for any characters. It never matches anonymous clients; only a
	// rule without it does, and that matches everybody.
	User string `yaml:"user"`
	// Publish and Subscribe are the topic filters that are allowed, with {client_id} and {user} in them. A client whose
	// identifier or name would widen such a filter (it holds + # or /, is empty, or makes the filter begin with $) gets
	// nothing of that filter. What may be subscribed to is what may be received.
	Publish   []string `yaml:"publish"`
	Subscribe []string `yaml:"subscribe"`
}

// JWT says which JSON Web Tokens (RFC 7519) are taken in place of a password. Without keys none is.
type JWT struct {
	// PublicKeys are PEM files with a public key or a certificate each. The key decides the algorithm: RSA of 2,048 bits
	// and up RS256, P-256 ES256, Ed25519 EdDSA.
	PublicKeys []string `yaml:"public_keys"`
	// SecretFiles hold a secret of at least 32 bytes each, for HS256; the last newline does not count.
	SecretFiles []string `yaml:"secret_files"`
	// Issuer and Audience are what the claims iss and aud must be, or contain; empty: anything.
	Issuer   string `yaml:"issuer"`
	Audience string `yaml:"audience"`
}

func (j JWT) files() int { return len(j.PublicKeys) + len(j.SecretFiles) }

// maxKeys bounds how many signatures one bad token can make us check.
const maxKeys = 16

// CertificateName is a name in an X.509 certificate.
type CertificateName string

// The names that can identify a user. The certificate must hold exactly one of that kind.
const (
	NoName     CertificateName = ""
	CommonName CertificateName = "cn"    // the subject's common name
	DNSName    CertificateName = "dns"   // subject alternative name: a host name
	EmailName  CertificateName = "email" // subject alternative name: an address
	URIName    CertificateName = "uri"   // subject alternative name: a URI, such as spiffe://plant/meter-1
)

// DefaultConfig knows no users and has no rules.
func DefaultConfig() Config { return Config{} }

// Check reports everything that is wrong, each as an *edged.KeyError. It reads no files.
func (c Config) Check() error {
	var errs []error
	for i, r := range c.Access {
		errs = append(errs, checkFilters(fmt.Sprintf("access[%d].publish", i), r.Publish, true)...)
		errs = append(errs, checkFilters(fmt.Sprintf("access[%d].subscribe", i), r.Subscribe, false)...)
	}
	switch c.CertificateUser {
	case NoName, CommonName, DNSName, EmailName, URIName:
	default:
		errs = append(errs, edged.BadKey("certificate_user", "%q is no name in a certificate; use cn, dns, email or uri", c.CertificateUser))
	}
	if n := c.JWT.files(); n > maxKeys {
		errs = append(errs, edged.BadKey("jwt", "%d keys are too many; at most %d can be", n, maxKeys))
	}
	if c.JWT.files() == 0 && (c.JWT.Issuer != "" || c.JWT.Audience != "") {
		errs = append(errs, edged.BadKey("jwt", "names no key, so that no token is ever taken; add public_keys or secret_files"))
	}
	return errors.Join(errs...)
}

// checkFilters checks the filters of a rule as they are for a harmless client.
func checkFilters(key string, filters []string, publish bool) (errs []error) {
	for i, template := range filters {
		key := fmt.Sprintf("%s[%d]", key, i)
		filter := strings.NewReplacer("{client_id}", "x", "{user}", "x").Replace(template)
		if strings.ContainsAny(filter, "{}") {
			errs = append(errs, edged.BadKey(key, "%q has braces around something unknown; use {client_id} or {user}", template))
		} else if err := topic.CheckFilter(filter); err != nil {
			errs = append(errs, edged.BadKey(key, "%v", err))
		} else if _, _, shared := topic.SplitShare(filter); shared {
			errs = append(errs, edged.BadKey(key, "%q is a shared subscription; write the filter without $share and the group, it counts for both", template))
		} else if publish && isSys(filter) {
			errs = append(errs, edged.BadKey(key, "%q: nobody but the broker may publish under $SYS", template))
		}
	}
	return errs
}
