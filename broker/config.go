package broker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/edged/edged"
)

// Config is the section `broker` of the configuration.
type Config struct {
	// Listeners are the addresses clients connect to; none: in-process clients only.
	Listeners []Listener `yaml:"listeners"`
	// Anonymous says from where clients may connect without a user name that the broker knows.
	Anonymous Policy `yaml:"anonymous"`
	// Limits bound what clients can make the broker hold.
	Limits Limits `yaml:"limits"`
	// SysInterval is how often the figures under $SYS are published, 0 to 1h; 0: never.
	SysInterval time.Duration `yaml:"sys_interval"`
}

// Listener is one address that accepts connections.
type Listener struct {
	// URL is mqtt://host:port (tcp:// means the same); an empty host listens on all addresses, port 0 lets the kernel
	// choose, a missing port is 1883.
	URL string `yaml:"url"`
}

// Policy says which clients may connect without credentials.
type Policy string

// The policies for anonymous clients.
const (
	// Never refuses every client without credentials.
	Never Policy = "never"
	// Loopback lets in those that connect from this machine.
	Loopback Policy = "loopback"
	// Always lets in everybody.
	Always Policy = "always"
)

// DefaultConfig listens on the loopback address only.
func DefaultConfig() Config {
	return Config{
		Listeners:   []Listener{{URL: "mqtt://127.0.0.1:1883"}},
		Anonymous:   Loopback,
		Limits:      DefaultLimits(),
		SysInterval: 10 * time.Second,
	}
}

// Check reports everything that is wrong, each as an *edged.KeyError.
func (c Config) Check() error {
	var errs []error
	seen := map[string]int{}
	for i, l := range c.Listeners {
		key := fmt.Sprintf("listeners[%d].url", i)
		addr, err := l.address(key)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if first, twice := seen[addr]; twice && addr[len(addr)-2:] != ":0" {
			errs = append(errs, edged.BadKey(key, "%s is listeners[%d] already; give each listener its own address", l.URL, first))
		}
		seen[addr] = i
	}
	switch c.Anonymous {
	case Never, Loopback, Always:
	default:
		errs = append(errs, edged.BadKey("anonymous", "%q is not a policy; use never, loopback or always", c.Anonymous))
	}
	if c.SysInterval != 0 && (c.SysInterval < time.Second || c.SysInterval > time.Hour) {
		errs = append(errs, edged.BadKey("sys_interval", "%v is out of range; use 1s to 1h, or 0 for no figures under $SYS", c.SysInterval))
	}
	return errors.Join(append(errs, c.Limits.check()...)...)
}

// address turns the URL into what net.Listen takes.
func (l Listener) address(key string) (string, error) {
	u, err := url.Parse(l.URL)
	if err != nil {
		return "", edged.BadKey(key, "%q is not a URL: %v; write mqtt://127.0.0.1:1883", l.URL, err)
	}
	switch u.Scheme {
	case "mqtt", "tcp":
	case "mqtts", "ssl", "tls", "ws", "wss", "unix":
		return "", edged.BadKey(key, "%s:// listeners are not in this version; use mqtt://host:port", u.Scheme)
	default:
		return "", edged.BadKey(key, "%q is not a scheme of a listener; use mqtt, as in mqtt://127.0.0.1:1883", u.Scheme)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") || u.Opaque != "" {
		return "", edged.BadKey(key, "%q has more than scheme, host and port; write mqtt://127.0.0.1:1883", l.URL)
	}
	port := u.Port()
	if port == "" {
		port = "1883"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", edged.BadKey(key, "%q is not a port; use 0 to 65535", port)
	} else {
		port = strconv.FormatUint(n, 10)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
