package bridge

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// keys lists the keys of the problems in err.
func keys(t *testing.T, err error) string {
	t.Helper()
	var found []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			var bad *edged.KeyError
			if !errors.As(e, &bad) {
				t.Fatalf("%v is no KeyError", e)
			}
			found = append(found, bad.Key)
		}
	}
	return strings.Join(found, " ")
}

func TestCheck(t *testing.T) {
	forward := func(rules ...Forward) func(*Config) { return func(c *Config) { c.Forward = rules } }
	receive := func(rules ...Receive) func(*Config) { return func(c *Config) { c.Receive = rules } }
	for _, c := range []struct {
		name   string
		change func(*Config)
		keys   string
		says   string
	}{
		{"as it is", func(*Config) {}, "", ""},
		{"no name", func(c *Config) { c.Name = "" }, "name", "not a name"},
		{"name with a level", func(c *Config) { c.Name = "a/b" }, "name", "not a name"},
		{"no urls", func(c *Config) { c.URLs = nil }, "urls", "mqtts://"},
		{"scheme", func(c *Config) { c.URLs = []string{"http://a", "tcp://a", "ssl://a:1", "tls://[::1]:2"} }, "urls[0]", "mqtt or mqtts"},
		{"websocket", func(c *Config) { c.URLs = []string{"wss://a"} }, "urls[0]", "not in this version"},
		{"secret in the url", func(c *Config) { c.URLs = []string{"mqtt://me:pw@a"} }, "urls[0]", "password_file"},
		{"no host", func(c *Config) { c.URLs = []string{"mqtt://:1883"} }, "urls[0]", "no host"},
		{"port", func(c *Config) { c.URLs = []string{"mqtt://a:0"} }, "urls[0]", "port"},
		{"path", func(c *Config) { c.URLs = []string{"mqtt://a/mqtt"} }, "urls[0]", "after its port"},
		{"version 5", func(c *Config) { c.Protocol = "5" }, "protocol", "not in this version"},
		{"version 4", func(c *Config) { c.Protocol = "4" }, "protocol", "3.1.1"},
		{"client id", func(c *Config) { c.ClientID = "{name}" }, "client_id", "{id}"},
		{"password without user", func(c *Config) { c.PasswordFile = "pw" }, "username", "missing"},
		{"certificate without key", func(c *Config) { c.TLS.Cert = "c.pem" }, "tls", "both"},
		{"bounds", func(c *Config) { c.Inflight, c.PacketBytes, c.KeepAlive, c.AckTimeout = 0, 10, 1, 0 }, "keep_alive ack_timeout inflight packet_bytes", "out of range"},
		{"filter", forward(Forward{From: "a/#/b", To: "{topic}"}), "forward[0].from", ""},
		{"shared", forward(Forward{From: "$share/g/a", To: "x"}), "forward[0].from", "shared"},
		{"unknown placeholder", forward(Forward{From: "a", To: "{name}"}), "forward[0].to", "{name} is not known"},
		{"brace", forward(Forward{From: "a", To: "{topic"}), "forward[0].to", "partner"},
		{"level", forward(Forward{From: "a/#", To: "{topic:x}"}), "forward[0].to", "{topic:2}"},
		{"nothing left", forward(Forward{From: "a/+", To: "{topic:2}"}), "forward[0].to", "leaves nothing"},
		{"something left", forward(Forward{From: "a/#", To: "{topic:2}"}), "", ""},
		{"wildcard in the target", forward(Forward{From: "a", To: "b/#"}), "forward[0].to", "does not make a topic"},
		{"empty target", forward(Forward{From: "a"}), "forward[0].to", "does not make a topic"},
		{"QoS 3", forward(Forward{From: "a", To: "a", QoS: 3}), "forward[0].qos", ""},
		{"negative age", forward(Forward{From: "a", To: "a", MaxAge: -1}), "forward[0].max_age", ""},
		{"never matches", forward(Forward{From: "a/#", To: "{topic}"}, Forward{From: "b", To: "b"}, Forward{From: "a/+/c", To: "c"}), "forward[2].from", "never matches"},
		{"same filter", forward(Forward{From: "a", To: "b"}, Forward{From: "a", To: "c"}), "forward[1].from", "never matches"},
		{"parent of #", forward(Forward{From: "a/#", To: "{topic}"}, Forward{From: "a", To: "c"}), "forward[1].from", "never matches"},
		{"narrow first", forward(Forward{From: "a/b", To: "{topic}"}, Forward{From: "a/#", To: "c"}), "", ""},
		{"$ is no wildcard's", forward(Forward{From: "#", To: "{topic}"}, Forward{From: "$SYS/#", To: "sys/{topic:1}"}), "", ""},
		{"QoS 2 down", receive(Receive{From: "a", To: "a", QoS: 2}), "receive[0].qos", "use 1"},
		{"id", receive(Receive{From: "sites/{id}/#", To: "{topic:2}", QoS: 1}), "", ""},
		{"bad placeholder down", receive(Receive{From: "sites/{topic}/#", To: "{topic:2}"}), "receive[0].from", "{id}"},
		{"policy", func(c *Config) { c.Buffer.WhenFull = "drop" }, "buffer.when_full", "drop-oldest"},
		{"order", func(c *Config) { c.Drain.Order = "live-first" }, "drain.order", "not in this version"},
		{"liveness", func(c *Config) { c.Liveness = Liveness{Topic: "a/#", Every: 1} }, "liveness.topic liveness.every", ""},
		{"no liveness", func(c *Config) { c.Liveness = Liveness{} }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig()
			c.change(&cfg)
			err := cfg.Check()
			if got := keys(t, err); got != c.keys {
				t.Errorf("found %q, want %q: %v", got, c.keys, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

// filters draws filters from few levels, so that they meet.
func filters() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		levels := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "+", "$x"}), 1, 4).Draw(t, "levels")
		if rapid.Bool().Draw(t, "hash") {
			levels = append(levels[:len(levels)-1], "#")
		}
		return strings.Join(levels, "/")
	})
}

func names() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "c", "$x"}), 1, 5).Draw(t, "name"), "/")
	})
}

// TestCovers: a filter that covers another matches all that it matches, and the first rule decides.
func TestCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, name := filters().Draw(t, "a"), filters().Draw(t, "b"), names().Draw(t, "name")
		if covers(a, b) && topic.Match(b, name) && !topic.Match(a, name) {
			t.Fatalf("%q covers %q, but not %q", a, b, name)
		}
		rs := routes{{from: a}, {from: b}}
		want := -1
		if topic.Match(b, name) {
			want = 1
		}
		if topic.Match(a, name) {
			want = 0
		}
		if got := rs.first(name); got != want {
			t.Fatalf("rule %d decides about %q, want %d", got, name, want)
		}
	})
}

func TestSubscriptions(t *testing.T) {
	c := testConfig()
	c.Forward = []Forward{{From: "a", To: "a", QoS: 0}, {From: "b/#", To: "b", QoS: 2}}
	subs := c.Subscriptions()
	want := edged.Subscription{Filter: "b/#", QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: 1, Identifier: 2}
	if len(subs) != 1 || subs[0] != want {
		t.Errorf("got %+v", subs)
	}
}

func TestDefaultsOfRules(t *testing.T) {
	var f Forward
	var r Receive
	f.SetDefaults()
	r.SetDefaults()
	if f.QoS != 1 || f.To != "{topic}" || r.QoS != 1 || r.To != "{topic}" {
		t.Errorf("%+v, %+v", f, r)
	}
}
