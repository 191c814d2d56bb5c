package conformance

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// authCases are of section 4.12: extended authentication, with a broker that knows one user.
var authCases = []testCase{
	{"MQTT-4.12.0-2", v5, func(s *script) {
		s.scramBroker()
		a := want[*mqtt.Auth](s.scramConnect())
		s.check(a.Code == mqtt.ContinueAuthentication && a.Properties.AuthenticationMethod == scramMethod, "%s", show(a))
	}},
	{"MQTT-4.12.0-4", v5, func(s *script) {
		s.scramBroker()
		c := s.scramConnect()
		c.send(proof(want[*mqtt.Auth](c), "wrong"))
		c.refused(mqtt.NotAuthorized)
		s.ask().refused(mqtt.NotAuthorized)
	}},
	{"MQTT-4.12.0-5", v5, func(s *script) {
		s.scramBroker()
		c := s.scramConnect()
		c.send(proof(want[*mqtt.Auth](c), "pencil"))
		c.accepted()
		s.check(c.connack.Properties.AuthenticationMethod == scramMethod, "CONNACK: %+v", c.connack.Properties)
		c.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "x"}})
		c.closed(mqtt.ProtocolError)
	}},
	{"MQTT-4.12.1-2", v5, func(s *script) {
		s.scramBroker()
		c := s.scramConnect()
		c.send(proof(want[*mqtt.Auth](c), "pencil"))
		c.accepted()
		c.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: scramData(scramFirst)})
		c.send(proof(want[*mqtt.Auth](c), "pencil"))
		a := want[*mqtt.Auth](c)
		s.check(a.Code == mqtt.Success && a.Properties.AuthenticationMethod == scramMethod, "%s", show(a))
		c.send(&mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: scramData(scramFirst)})
		c.send(proof(want[*mqtt.Auth](c), "wrong"))
		c.closed(mqtt.NotAuthorized)
	}},
	{"MQTT-3.15.2-1", v5, func(s *script) { // AUTH with a reason code of CONNACK's
		s.scramBroker()
		c := s.scramConnect()
		want[*mqtt.Auth](c)
		c.send(packet(0xF0, 0x87, 0))
		c.refused(mqtt.MalformedPacket, mqtt.ProtocolError)
	}},
}

const (
	scramMethod = "SCRAM-SHA-256"
	scramFirst  = "n,,n=user,r=client"
)

// oneUser is all that the broker knows.
type oneUser struct{ v broker.Verifier }

func (u oneUser) Verifier(name string) (broker.Verifier, bool) { return u.v, name == "user" }

// scramBroker starts a broker that knows "user" with the password "pencil", and nobody else.
func (s *script) scramBroker() {
	v, err := broker.NewVerifier("pencil", 4096)
	if err != nil {
		s.failf("%v", err)
	}
	r := brokertest.Start(s.t, func(c *broker.Config, o *broker.Options) {
		c.Anonymous = broker.Never
		o.Verifiers = oneUser{v}
	})
	s.addr = r.Addr()
}

func scramData(data string) *mqtt.Properties {
	return &mqtt.Properties{
		Has: mqtt.AuthenticationMethod | mqtt.AuthenticationData, AuthenticationMethod: scramMethod, AuthenticationData: []byte(data),
	}
}

func (s *script) scramConnect() *peer {
	return s.ask(func(c *mqtt.Connect) { c.Properties = scramData(scramFirst) })
}

// proof answers the server's first message (RFC 5802 §3).
func proof(a *mqtt.Auth, password string) *mqtt.Auth {
	first := string(a.Properties.AuthenticationData)
	fields := strings.Split(first, ",") // r=, s=, i=4096
	salt, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(fields[1], "s="))
	if err != nil {
		return a // which the server will not like
	}
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, 4096, sha256.Size)
	if err != nil {
		return a
	}
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	without := "c=biws," + fields[0]
	for i, b := range mac(stored[:], strings.TrimPrefix(scramFirst, "n,,")+","+first+","+without) {
		key[i] ^= b
	}
	return &mqtt.Auth{Code: mqtt.ContinueAuthentication, Properties: scramData(without + ",p=" + base64.StdEncoding.EncodeToString(key))}
}
