package broker

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

func TestDefaultConfigIsGoodAndListensOnLoopback(t *testing.T) {
	c := DefaultConfig()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	e, err := c.Listeners[0].endpoint("")
	if want := (endpoint{scheme: "mqtt", network: "tcp", address: "127.0.0.1:1883"}); err != nil || e != want {
		t.Fatal(e, err)
	}
}

func TestCheckFindsEveryMistake(t *testing.T) {
	for url, want := range map[string]string{
		"mqtt://127.0.0.1": "", "tcp://[::1]:99": "", "mqtt://:1883": "", "mqtt://h:0/": "",
		"mqtts://h": "tls: missing", "wss://h": "tls: missing", "ws://h/mqtt": "", "unix:///x": "", "unix://x": "three slashes", "http://h": "not a scheme",
		"127.0.0.1:1883": "", "": "not a scheme", "mqtt://h/x": "has a path", "mqtt://u@h": "more than", "mqtt://h:99999": "not a port", "mqtt://h:0x1": "not a URL",
	} {
		c := DefaultConfig()
		c.Listeners[0].URL = url
		err := c.Check()
		if url == "127.0.0.1:1883" {
			want = "not a URL"
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", url, err, want)
		}
	}
	c := Config{Listeners: []Listener{{URL: "mqtt://:1"}, {URL: "tcp://:1"}, {URL: "mqtt://:0"}, {URL: "mqtt://:0"}}, Anonymous: "maybe"}
	err := c.Check()
	var key *edged.KeyError
	if !errors.As(err, &key) {
		t.Fatalf("%T", err)
	}
	for _, want := range []string{"listeners[1].url: tcp://:1 is listeners[0] already", "anonymous: \"maybe\"", "limits.connections: 0", "limits.packet_bytes", "limits.inflight",
		"limits.queue_messages", "limits.queue_bytes", "limits.sessions", "limits.subscriptions", "limits.connect_timeout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "listeners[3]") {
		t.Error("two ports chosen by the kernel are no conflict")
	}
	if _, err := New(c, Options{}); err == nil {
		t.Error("New takes it")
	}
}

func TestAnonymousPolicy(t *testing.T) {
	here, away := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	for policy, want := range map[Policy][2]bool{Never: {false, false}, Loopback: {true, false}, Always: {true, true}} {
		b := &Broker{cfg: Config{Anonymous: policy}}
		for i, addr := range []net.Addr{here, away} {
			code, why := b.may(isLoopback(addr), toConnect, "")
			if code.Failed() == want[i] {
				t.Errorf("%s from %v: %v", policy, addr, code)
			}
			if code.Failed() && (code != mqtt.NotAuthorized || !strings.Contains(why, "broker.anonymous: ")) {
				t.Errorf("%s: %v %q does not name the setting", policy, code, why)
			}
		}
	}
	if isLoopback(&net.IPAddr{}) {
		t.Error("an unknown kind of address is loopback")
	}
}
