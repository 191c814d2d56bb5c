package broker

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/edged/edged/codec/mqtt"
)

// exchange is a client's extended authentication, before CONNACK or again later (MQTT 5.0 §4.12):
//
//	CONNECT, or AUTH 0x19, with client-first ──► ◄── AUTH 0x18 with server-first
//	AUTH 0x18 with client-final ──► ◄── CONNACK, or AUTH 0x00, with server-final
type exchange struct {
	scram   scram
	running bool
	// flags and connect are the CONNECT that waits for its success; answer goes into its CONNACK.
	flags   byte
	connect []byte
	answer  []byte
}

// beginAuth puts CONNECT aside until the client has proved who it is.
func (c *conn) beginAuth(h mqtt.Header, body []byte, p *mqtt.Connect) error {
	c.maxPacket = p.Properties.MaximumPacketSize
	c.client = principal{name: strings.Clone(p.ClientID)}
	switch {
	case c.b.verifiers == nil:
		return c.refuse(mqtt.BadAuthenticationMethod, "there is no extended authentication here")
	case p.Properties.AuthenticationMethod != scramMethod:
		return c.refuse(mqtt.BadAuthenticationMethod, "the authentication method is not known; use "+scramMethod)
	}
	c.auth = &exchange{flags: h.Flags, connect: slices.Clone(body)}
	return c.challenge(p.Properties.AuthenticationData)
}

// beforeConnack handles what comes during the exchange.
func (c *conn) beforeConnack(h mqtt.Header, body []byte) error {
	switch h.Type {
	case mqtt.AUTH:
		var p mqtt.Auth
		if err := p.Parse(h.Flags, body, c.version); err != nil {
			bad := asEnding(err)
			return c.refuse(bad.code, bad.why)
		}
		return c.onAuth(&p)
	case mqtt.DISCONNECT:
		return &ending{why: "DISCONNECT before CONNACK", quiet: true, gone: true}
	}
	return c.refuse(mqtt.ProtocolError, h.Type.String()+" before CONNACK")
}

func (c *conn) onAuth(p *mqtt.Auth) error {
	x := c.auth
	switch {
	case x == nil:
		return violation(mqtt.ProtocolError, "AUTH, but the client began no extended authentication (MQTT-4.12.0-7)")
	case p.Code == mqtt.Success:
		return c.authFailed(mqtt.ProtocolError, "AUTH with 0x00 is for servers to send")
	case p.Properties.AuthenticationMethod != scramMethod:
		return c.authFailed(mqtt.ProtocolError, "AUTH has another method than CONNECT (MQTT-4.12.0-5)")
	case p.Code == mqtt.ReAuthenticate && (c.sess == nil || x.running), p.Code == mqtt.ContinueAuthentication && !x.running:
		return c.authFailed(mqtt.ProtocolError, "AUTH "+p.Code.String()+" out of turn")
	case p.Code == mqtt.ReAuthenticate:
		return c.challenge(p.Properties.AuthenticationData)
	}
	return c.prove(p.Properties.AuthenticationData)
}

// challenge answers the client's first message.
func (c *conn) challenge(first []byte) error {
	x := c.auth
	x.scram, x.running = scram{}, true
	answer, err := x.scram.first(first, c.b.verifiers, rand.Text(), c.b.secret)
	if err != nil {
		return c.authFailed(mqtt.NotAuthorized, scramMethod+": "+err.Error())
	}
	c.reply(&mqtt.Auth{Code: mqtt.ContinueAuthentication, Properties: authProperties(answer)})
	return nil
}

// prove answers its last one.
func (c *conn) prove(final []byte) error {
	x := c.auth
	answer, err := x.scram.final(final)
	if err != nil {
		return c.authFailed(mqtt.NotAuthorized, scramMethod+": "+err.Error())
	}
	user := strings.Clone(x.scram.user)
	x.scram, x.running = scram{}, false
	if c.sess != nil {
		if user != c.user {
			return c.authFailed(mqtt.NotAuthorized, "the client authenticates again as another user")
		}
		c.reply(&mqtt.Auth{Properties: authProperties(answer)})
		return nil
	}
	c.user, x.answer = user, answer
	var p mqtt.Connect
	if err := p.Parse(x.flags, x.connect, 0); err != nil {
		return err
	}
	err = c.accept(&p)
	x.connect, x.answer = nil, nil
	return err
}

// authFailed ends the connection: with CONNACK where there was none yet (MQTT-4.12.0-4, MQTT-4.12.1-2).
func (c *conn) authFailed(code mqtt.ReasonCode, why string) error {
	if c.sess == nil {
		return c.refuse(code, why)
	}
	return violation(code, "%s", why)
}

func authProperties(data []byte) *mqtt.Properties {
	return &mqtt.Properties{
		Has: mqtt.AuthenticationMethod | mqtt.AuthenticationData, AuthenticationMethod: scramMethod, AuthenticationData: data,
	}
}
