package broker

import (
	"github.com/edged/edged/codec/mqtt"
)

// handle takes one packet. An error ends the connection.
func (c *conn) handle(h mqtt.Header, body []byte) error {
	if c.sess == nil && c.auth != nil {
		return c.beforeConnack(h, body)
	}
	if c.sess == nil {
		return c.onConnect(h, body)
	}
	if h.Type == mqtt.PUBLISH {
		c.router.begin()
		p := &c.router.publish
		if err := p.Parse(h.Flags, body, c.version); err != nil {
			return err
		}
		if err := c.onPublish(p); err != nil || c.pace == nil {
			return err
		}
		return c.throttle(len(body))
	}
	p, err := mqtt.Parse(h, body, c.version)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *mqtt.Puback:
		c.onPuback(p)
	case *mqtt.Pubrec:
		c.onPubrec(p)
	case *mqtt.Pubrel:
		c.onPubrel(p)
	case *mqtt.Pubcomp:
		c.onPubcomp(p)
	case *mqtt.Subscribe:
		return c.onSubscribe(p)
	case *mqtt.Unsubscribe:
		return c.onUnsubscribe(p)
	case *mqtt.Pingreq:
		c.reply(&mqtt.Pingresp{})
	case *mqtt.Disconnect:
		return c.onDisconnect(p)
	case *mqtt.Connect:
		return violation(mqtt.ProtocolError, "a second CONNECT (MQTT-3.1.0-2)")
	case *mqtt.Auth:
		return c.onAuth(p)
	default:
		return violation(mqtt.ProtocolError, "%s is for servers to send", h.Type)
	}
	return nil
}

// reply sends p with the reader's next flush.
func (c *conn) reply(p mqtt.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(p)
	c.schedule(&c.router)
}

// onDisconnect ends the connection in order; the will goes with it unless version 5 asks for it (MQTT-3.14.4-3).
func (c *conn) onDisconnect(p *mqtt.Disconnect) error {
	if p.Properties != nil && p.Properties.Has&mqtt.SessionExpiryInterval != 0 {
		if c.expiry == 0 && p.Properties.SessionExpiryInterval != 0 {
			return violation(mqtt.ProtocolError, "DISCONNECT gives an expiry to a session that CONNECT gave none (MQTT 5.0 §3.14.2.2.2)")
		}
		c.expiry = p.Properties.SessionExpiryInterval
	}
	return &ending{why: "DISCONNECT from the client", left: true, will: p.Code != mqtt.NormalDisconnection, quiet: true, gone: true}
}
