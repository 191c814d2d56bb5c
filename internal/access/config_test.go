package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/edged/edged"
)

func TestCheck(t *testing.T) {
	good := Config{
		CertificateUser: CommonName, JWT: JWT{PublicKeys: []string{"k"}, Issuer: "i"},
		Access: []Rule{{User: "m*", Publish: []string{"a/{client_id}/#", "{user}", "x{user}y/+"}, Subscribe: []string{"#", "$SYS/#"}}, {}},
	}
	for _, c := range []Config{DefaultConfig(), good} {
		if err := c.Check(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	bad := Config{
		CertificateUser: "CN", JWT: JWT{Audience: "a"},
		Access: []Rule{
			{Publish: []string{"ok", "a#"}},
			{Publish: []string{"$SYS/x", "{id}/x", "a/{user"}, Subscribe: []string{"$share/g/a", "", "+{client_id}/#"}},
		},
	}
	err := bad.Check()
	for _, want := range []string{
		"access[0].publish[1]: ", "access[1].publish[0]: ", "access[1].publish[1]: ", "access[1].publish[2]: ",
		"access[1].subscribe[0]: ", "access[1].subscribe[1]: ", "access[1].subscribe[2]: ", "certificate_user: ", "jwt: ",
	} {
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("not one error for %q in\n%v", want, err)
		}
	}
	var key *edged.KeyError
	if !errors.As(err, &key) {
		t.Errorf("%T has no key", err)
	}
	if _, err := New(bad, Options{}); err == nil {
		t.Error("New takes what Check refuses")
	}
	if err := (Config{JWT: JWT{SecretFiles: make([]string, maxKeys+1)}}).Check(); err == nil {
		t.Error("any number of keys is taken")
	}
}
