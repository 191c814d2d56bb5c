package broker

import (
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/edged/edged"
)

// Listener is one address that accepts connections.
type Listener struct {
	// URL is mqtt://host:port, mqtts://host:port (tcp, ssl and tls are synonyms), ws://host:port/path,
	// wss://host:port/path or unix:///path. An empty host listens on all addresses, port 0 lets the kernel choose, a
	// missing port is 1883, 8883, 80 or 443. A WebSocket listener without a path takes any.
	URL string `yaml:"url"`
	// TLS is for mqtts and wss.
	TLS TLS `yaml:"tls"`
	// ProxyProtocol says that each connection comes through a proxy which tells the client's address first (HAProxy's
	// PROXY protocol, version 1 or 2). Whoever reaches such a listener can name any address: let nobody but the proxy.
	ProxyProtocol bool `yaml:"proxy_protocol"`
	// Origins are the web pages that may use a WebSocket listener, as https://host:port, besides those of the same
	// host; "*": all. Programs that are no browsers send no origin, and are not asked.
	Origins []string `yaml:"origins"`
	// Mode is the mode of a Unix socket's file; 0: 0660.
	Mode SocketMode `yaml:"mode"`
}

// SocketMode is the permissions of a file, in octal: 0660.
type SocketMode uint32

// UnmarshalText reads octal digits.
func (m *SocketMode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(text), "0o"), 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("%q is not the mode of a file; use octal digits, such as 0660", text)
	}
	*m = SocketMode(n)
	return nil
}

// MarshalText writes octal digits.
func (m SocketMode) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%04o", uint32(m)), nil }

func (m SocketMode) perm() fs.FileMode {
	if m == 0 {
		return 0o660
	}
	return fs.FileMode(m)
}

// endpoint is a listener's URL taken apart.
type endpoint struct {
	scheme  string // mqtt, mqtts, ws, wss or unix
	network string // tcp or unix
	address string
	path    string // of the URL of a WebSocket; empty: any
}

func (e endpoint) secure() bool    { return e.scheme == "mqtts" || e.scheme == "wss" }
func (e endpoint) webSocket() bool { return e.scheme == "ws" || e.scheme == "wss" }

// at is the URL of the address that was really listened on.
func (e endpoint) at(a net.Addr) string { return e.scheme + "://" + a.String() + e.path }

var schemes = map[string]struct{ name, port string }{
	"mqtt": {"mqtt", "1883"}, "tcp": {"mqtt", "1883"},
	"mqtts": {"mqtts", "8883"}, "ssl": {"mqtts", "8883"}, "tls": {"mqtts", "8883"},
	"ws": {"ws", "80"}, "wss": {"wss", "443"}, "unix": {"unix", ""},
}

// endpoint takes the URL apart; key is its place in the configuration.
func (l Listener) endpoint(key string) (e endpoint, err error) {
	u, err := url.Parse(l.URL)
	if err != nil {
		return e, edged.BadKey(key, "%q is not a URL: %v; write mqtt://127.0.0.1:1883", l.URL, err)
	}
	s, known := schemes[u.Scheme]
	if !known {
		return e, edged.BadKey(key, "%q is not a scheme of a listener; use mqtt, mqtts, ws, wss or unix, as in mqtt://127.0.0.1:1883", u.Scheme)
	}
	e.scheme = s.name
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return e, edged.BadKey(key, "%q has more than scheme, host, port and path; write mqtt://127.0.0.1:1883", l.URL)
	}
	if e.scheme == "unix" {
		if u.Host != "" || !filepath.IsAbs(u.Path) {
			return e, edged.BadKey(key, "%q has no absolute path; write three slashes, as in unix:///run/edged/mqtt.sock", l.URL)
		}
		const most = 107 // and a zero byte: struct sockaddr_un
		if len(u.Path) > most {
			return e, edged.BadKey(key, "the path has %d bytes; a Unix socket's has at most %d", len(u.Path), most)
		}
		e.network, e.address = "unix", u.Path
		return e, nil
	}
	if e.path = u.Path; e.webSocket() {
		e.path = strings.TrimSuffix(e.path, "/")
	} else if e.path != "" && e.path != "/" {
		return e, edged.BadKey(key, "%q has a path, which only ws and wss have; write %s://127.0.0.1:%s", l.URL, u.Scheme, s.port)
	} else {
		e.path = ""
	}
	port := u.Port()
	if port == "" {
		port = s.port
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return e, edged.BadKey(key, "%q is not a port; use 0 to 65535", port)
	}
	e.network, e.address = "tcp", net.JoinHostPort(u.Hostname(), strconv.FormatUint(n, 10))
	return e, nil
}

// check reports what is wrong with a listener, but for its URL.
func (l Listener) check(key string, e endpoint) (errs []error) {
	bad := func(below, format string, args ...any) {
		errs = append(errs, edged.BadKey(key+"."+below, format, args...))
	}
	switch {
	case e.secure():
		errs = append(errs, l.TLS.check(key+".tls")...)
	case l.TLS != TLS{}:
		bad("tls", "%s:// has no TLS; use mqtts:// or wss://", e.scheme)
	}
	if e.scheme == "unix" && l.ProxyProtocol {
		bad("proxy_protocol", "a Unix socket takes no PROXY protocol; let the proxy connect to an address and a port")
	}
	if e.scheme != "unix" && l.Mode != 0 {
		bad("mode", "only a unix:// listener has a file, and a mode")
	}
	if len(l.Origins) > 0 && !e.webSocket() {
		bad("origins", "only ws:// and wss:// are used by web pages")
	}
	for i, o := range l.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil) {
			bad(fmt.Sprintf("origins[%d]", i), `%q is not an origin; write https://host:port, without a path, or "*" for all`, o)
		}
	}
	return errs
}
