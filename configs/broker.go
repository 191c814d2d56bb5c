package configs

import (
	"errors"
	"slices"
	"strings"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/internal/access"
)

// Broker is the section `broker`: the MQTT server, and who may do what there.
type Broker struct {
	broker.Config `yaml:",inline"`
	Access        access.Config `yaml:",inline"`
}

// Check reports everything that is wrong, each as an *edged.KeyError.
func (b Broker) Check() error {
	err := errors.Join(b.Config.Check(), b.Access.Check())
	if b.Access.CertificateUser != access.NoName && !b.asksForCertificates() {
		err = errors.Join(err, edged.BadKey("certificate_user", "no listener asks for certificates; give one of them tls.client_ca"))
	}
	return err
}

func (b Broker) asksForCertificates() bool {
	for _, l := range b.Listeners {
		if l.TLS.ClientCA != "" && l.TLS.ClientAuth != broker.NoClientAuth {
			return true
		}
	}
	return false
}

// knowsUsers says whether anybody can show who he is.
func (b Broker) knowsUsers() bool {
	a := b.Access
	return a.UsersFile != "" || a.CertificateUser != access.NoName || len(a.JWT.PublicKeys)+len(a.JWT.SecretFiles) > 0
}

// warning is what to say about a listener that the network can reach; empty: nothing.
func (b Broker) warning(l broker.Listener) string {
	scheme, _, _ := strings.Cut(l.URL, "://")
	secure := slices.Contains([]string{"mqtts", "ssl", "tls", "wss"}, scheme)
	certificate := l.TLS.ClientCA != "" && (l.TLS.ClientAuth == "" || l.TLS.ClientAuth == broker.RequireClientAuth)
	everybody := b.Anonymous == broker.Always && len(b.Access.Access) == 0 && !certificate
	switch {
	case onLoopback(l.URL):
		return ""
	case everybody && !secure:
		return "open to the network without TLS and without users: everybody who reaches this address can read and publish everything"
	case everybody:
		return "open to the network without users: everybody who reaches this address can read and publish everything"
	case b.Anonymous != broker.Always && !b.knowsUsers():
		return "open to the network, but clients from there are refused, since there are no users; name them in broker.users_file, or let everybody in with broker.anonymous: always"
	case !secure && !l.ProxyProtocol:
		return "without TLS: passwords and messages can be read on their way; use mqtts:// or wss://"
	}
	return ""
}
