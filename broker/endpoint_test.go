package broker

import (
	"net"
	"strings"
	"testing"
)

func TestURLsOfListeners(t *testing.T) {
	for url, want := range map[string]endpoint{
		"mqtt://:1":              {"mqtt", "tcp", ":1", ""},
		"tcp://[::1]":            {"mqtt", "tcp", "[::1]:1883", ""},
		"ssl://h":                {"mqtts", "tcp", "h:8883", ""},
		"tls://h:0008883":        {"mqtts", "tcp", "h:8883", ""},
		"ws://h":                 {"ws", "tcp", "h:80", ""},
		"ws://h/":                {"ws", "tcp", "h:80", ""},
		"wss://h/a/b/":           {"wss", "tcp", "h:443", "/a/b"},
		"unix:///run/edged/sock": {"unix", "unix", "/run/edged/sock", ""},
	} {
		if got, err := (Listener{URL: url}).endpoint("x"); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", url, got, err, want)
		}
	}
	for url, want := range map[string]string{
		"unix:///" + strings.Repeat("x", 120): "at most 107", "unix:relative": "more than", "ws://h/a?b=c": "more than", "ws://h/#a": "more than",
	} {
		if _, err := (Listener{URL: url}).endpoint("listeners[0].url"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "listeners[0].url: ") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	e := endpoint{scheme: "wss", path: "/mqtt"}
	if got := e.at(&net.TCPAddr{IP: net.IPv6loopback, Port: 7}); got != "wss://[::1]:7/mqtt" {
		t.Error(got)
	}
}

func TestMistakesOfListeners(t *testing.T) {
	good := TLS{Cert: "c", Key: "k"}
	for want, l := range map[string]Listener{
		"listeners[0].tls: mqtt:// has no TLS":                   {URL: "mqtt://h", TLS: good},
		"listeners[0].tls.cert: missing":                         {URL: "mqtts://h", TLS: TLS{Key: "k"}},
		"listeners[0].tls.key: missing":                          {URL: "wss://h", TLS: TLS{Cert: "c"}},
		"listeners[0].tls.client_ca: missing":                    {URL: "mqtts://h", TLS: TLS{Cert: "c", Key: "k", ClientAuth: RequireClientAuth}},
		"listeners[0].tls.client_auth: \"maybe\"":                {URL: "mqtts://h", TLS: TLS{Cert: "c", Key: "k", ClientAuth: "maybe"}},
		"listeners[0].proxy_protocol: a Unix socket":             {URL: "unix:///s", ProxyProtocol: true},
		"listeners[0].mode: only":                                {URL: "mqtt://h", Mode: 0o600},
		"listeners[0].origins: only":                             {URL: "mqtts://h", TLS: good, Origins: []string{"*"}},
		"listeners[0].origins[1]: \"example.com\" is not":        {URL: "ws://h", Origins: []string{"https://a", "example.com"}},
		"listeners[0].origins[0]: \"https://a/b\" is not an ori": {URL: "ws://h", Origins: []string{"https://a/b"}},
	} {
		c := DefaultConfig()
		c.Listeners = []Listener{l}
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", l, err, want)
		}
	}
	c := DefaultConfig()
	c.Listeners = []Listener{
		{URL: "mqtts://:1", TLS: TLS{Cert: "c", Key: "k", ClientCA: "a", ClientAuth: RequestClientAuth}, ProxyProtocol: true},
		{URL: "ws://:2/m", Origins: []string{"*", "https://a:8443"}}, {URL: "unix:///a", Mode: 0o666},
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestModeOfASocket(t *testing.T) {
	var m SocketMode
	if m.perm() != 0o660 {
		t.Error(m.perm())
	}
	for text, want := range map[string]SocketMode{"0660": 0o660, "600": 0o600, "0o666": 0o666} {
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want {
			t.Errorf("%s: %o, %v", text, m, err)
		}
	}
	if b, err := m.MarshalText(); err != nil || len(b) != 4 || b[0] != '0' {
		t.Error(string(b), err)
	}
	for _, text := range []string{"", "rw", "8", "1777", "-1"} {
		if m.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is a mode", text)
		}
	}
}
