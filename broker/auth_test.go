package broker_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

type verifiers map[string]broker.Verifier

func (v verifiers) Verifier(user string) (broker.Verifier, bool) {
	x, ok := v[user]
	return x, ok
}

// scramBroker knows the users a and b, whose passwords are their names twice, and lets in nobody else.
func scramBroker(t *testing.T) *brokertest.Running {
	t.Helper()
	users := verifiers{}
	for _, name := range []string{"a", "b"} {
		v, err := broker.NewVerifier(name+name, 4096)
		if err != nil {
			t.Fatal(err)
		}
		users[name] = v
	}
	return brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Anonymous = broker.Never }),
		func(_ *broker.Config, o *broker.Options) { o.Verifiers = users })
}

func hmacOf(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// scramClient is the other side of an exchange, by RFC 5802.
type scramClient struct {
	t              *testing.T
	user, password string
	text           string
	server         []byte // signature that the server must show
}

func (s *scramClient) first() []byte {
	s.text = "n=" + s.user + ",r=client"
	return []byte("n,," + s.text)
}

func (s *scramClient) final(serverFirst []byte) []byte {
	s.t.Helper()
	var nonce, salt string
	var iterations int
	for _, part := range strings.Split(string(serverFirst), ",") {
		switch value := part[2:]; part[:2] {
		case "r=":
			nonce = value
		case "s=":
			b, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				s.t.Fatal(err)
			}
			salt = string(b)
		case "i=":
			iterations, _ = strconv.Atoi(value)
		}
	}
	if !strings.HasPrefix(nonce, "client") || len(nonce) < 20 || iterations < 4096 {
		s.t.Fatalf("server-first: %q", serverFirst)
	}
	salted, err := pbkdf2.Key(sha256.New, s.password, []byte(salt), iterations, 32)
	if err != nil {
		s.t.Fatal(err)
	}
	key := hmacOf(salted, "Client Key")
	stored := sha256.Sum256(key)
	without := "c=biws,r=" + nonce
	s.text += "," + string(serverFirst) + "," + without
	for i, b := range hmacOf(stored[:], s.text) {
		key[i] ^= b
	}
	s.server = hmacOf(hmacOf(salted, "Server Key"), s.text)
	return []byte(without + ",p=" + base64.StdEncoding.EncodeToString(key))
}

func (s *scramClient) check(props *mqtt.Properties) {
	s.t.Helper()
	if props == nil || props.AuthenticationMethod != "SCRAM-SHA-256" || string(props.AuthenticationData) != "v="+base64.StdEncoding.EncodeToString(s.server) {
		s.t.Fatalf("the server does not show that it knows the password: %+v", props)
	}
}

func authData(data []byte) *mqtt.Properties {
	return &mqtt.Properties{Has: mqtt.AuthenticationMethod | mqtt.AuthenticationData, AuthenticationMethod: "SCRAM-SHA-256", AuthenticationData: data}
}

// begin sends CONNECT, or AUTH for the again, and returns the client's last message.
func (s *scramClient) begin(p *peer, again bool) *mqtt.Auth {
	s.t.Helper()
	if again {
		p.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: authData(s.first())})
	} else {
		p.v = mqtt.V5
		p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c-" + s.user, CleanStart: true, Properties: authData(s.first()),
			Will: &mqtt.Will{Topic: "will", Payload: []byte("gone")}})
	}
	a := expect[*mqtt.Auth](p)
	if a.Code != mqtt.ContinueAuthentication || a.Properties.AuthenticationMethod != "SCRAM-SHA-256" {
		s.t.Fatalf("%+v", a)
	}
	return &mqtt.Auth{Code: mqtt.ContinueAuthentication, Properties: authData(s.final(a.Properties.AuthenticationData))}
}

func TestScramLetsUsersIn(t *testing.T) {
	r := scramBroker(t)
	a := &scramClient{t: t, user: "a", password: "aa"}
	p := dial(t, r)
	p.send(a.begin(p, false))
	ack := expect[*mqtt.Connack](p)
	equal(t, "CONNACK", ack.Code, mqtt.Success)
	a.check(ack.Properties)
	p.subscribe(mqtt.Filter{Filter: "#"}) // an ordinary client from here on

	for range 2 { // and again, while the session goes on
		last := a.begin(p, true)
		p.quiet()
		p.send(last)
		again := expect[*mqtt.Auth](p)
		equal(t, "AUTH", again.Code, mqtt.Success)
		a.check(again.Properties)
	}
	b := &scramClient{t: t, user: "b", password: "bb"}
	q := dial(t, r)
	q.send(b.begin(q, false))
	equal(t, "CONNACK", expect[*mqtt.Connack](q).Code, mqtt.Success)
	q.send((&scramClient{t: t, user: "a", password: "aa"}).begin(q, true))
	q.expectEnd(mqtt.NotAuthorized) // not as another user
	equal(t, "b's will", string(expect[*mqtt.Publish](p).Payload), "gone")
	p.send((&scramClient{t: t, user: "a", password: "no"}).begin(p, true))
	p.expectEnd(mqtt.NotAuthorized) // MQTT-4.12.1-2
}

func TestScramKeepsOthersOut(t *testing.T) {
	r := scramBroker(t)
	for name, c := range map[string]struct {
		scramClient
		code mqtt.ReasonCode
	}{
		"a wrong password": {scramClient{user: "a", password: "ab"}, mqtt.NotAuthorized},
		"an unknown user":  {scramClient{user: "x", password: "xx"}, mqtt.NotAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			p := dial(t, r)
			p.send(c.begin(p, false))
			equal(t, "CONNACK", expect[*mqtt.Connack](p).Code, c.code)
			p.expectEnd(0)
		})
	}
	for name, c := range map[string]struct {
		packet mqtt.Packet
		code   mqtt.ReasonCode
	}{
		"no method":       {&mqtt.Connect{Version: mqtt.V5, ClientID: "a"}, mqtt.NotAuthorized},
		"another method":  {&mqtt.Connect{Version: mqtt.V5, ClientID: "a", Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "GS2-KRB5"}}, mqtt.BadAuthenticationMethod},
		"no data":         {&mqtt.Connect{Version: mqtt.V5, ClientID: "a", Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "SCRAM-SHA-256"}}, mqtt.NotAuthorized},
		"an older client": {&mqtt.Connect{Version: mqtt.V311, ClientID: "a"}, mqtt.NotAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, r)
			p.v = c.packet.(*mqtt.Connect).Version
			p.send(c.packet)
			got := expect[*mqtt.Connack](p).Code
			if p.v == mqtt.V5 {
				equal(t, "CONNACK", got, c.code)
			} else if !got.Failed() {
				t.Error("let in")
			}
		})
	}
	equal(t, "connected", r.Stats().Connected, 0)
}

func TestAuthOutOfTurn(t *testing.T) {
	r := scramBroker(t)
	for name, f := range map[string]func(p *peer, s *scramClient){
		"a PUBLISH during the exchange": func(p *peer, s *scramClient) {
			s.begin(p, false)
			p.send(&mqtt.Publish{Topic: "a"})
		},
		"a second CONNECT": func(p *peer, s *scramClient) {
			s.begin(p, false)
			p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "a"})
		},
		"authenticating again before the first time": func(p *peer, s *scramClient) {
			s.begin(p, false)
			p.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: authData(s.first())})
		},
		"success from the client": func(p *peer, s *scramClient) {
			s.begin(p, false)
			p.send(&mqtt.Auth{})
		},
		"another method": func(p *peer, s *scramClient) {
			a := s.begin(p, false)
			a.Properties.AuthenticationMethod = "PLAIN"
			p.send(a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, r)
			f(p, &scramClient{t: t, user: "a", password: "aa"})
			equal(t, "CONNACK", expect[*mqtt.Connack](p).Code, mqtt.ProtocolError)
			p.expectEnd(0)
		})
	}
	for name, packet := range map[string]*mqtt.Auth{
		"going on with nothing": {Code: mqtt.ContinueAuthentication, Properties: authData([]byte("x"))},
		"success":               {Properties: authData([]byte("x"))},
		"another method":        {Code: mqtt.ReAuthenticate, Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "PLAIN"}},
	} {
		t.Run(name+" after CONNACK", func(t *testing.T) {
			p, s := dial(t, r), &scramClient{t: t, user: "a", password: "aa"}
			p.send(s.begin(p, false))
			expect[*mqtt.Connack](p)
			p.send(packet)
			p.expectEnd(mqtt.ProtocolError)
		})
	}
	p, s := dial(t, r), &scramClient{t: t, user: "a", password: "aa"}
	s.begin(p, false)
	p.send(&mqtt.Disconnect{})
	p.expectEnd(0)
	silent := dial(t, r) // who never proves anything goes with broker.limits.connect_timeout; here the broker's stop is sooner
	(&scramClient{t: t, user: "a", password: "aa"}).begin(silent, false)
	open := brokertest.Start(t)
	x := clean(t, open, "x", mqtt.V5)
	x.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: authData(s.first())})
	x.expectEnd(mqtt.ProtocolError) // MQTT-4.12.0-7
}

func TestAProofArrivesInPieces(t *testing.T) {
	r := scramBroker(t)
	p, s := dial(t, r), &scramClient{t: t, user: "a", password: "aa"}
	b, err := s.begin(p, false).Append(nil, mqtt.V5)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		p.bytes(b[i : i+1])
	}
	equal(t, "CONNACK", expect[*mqtt.Connack](p).Code, mqtt.Success)
}
