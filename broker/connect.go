package broker

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

const (
	// maxClientID bounds a client identifier: it is part of keys on disk.
	maxClientID = 1024
	// maxAliases is how many topic aliases a version 5 client may use, and how many are used towards it.
	maxAliases = 64
	// never is the session expiry interval that never ends (MQTT 5.0 §3.1.2.11.2).
	never = 1<<32 - 1
)

// onConnect handles the first packet (MQTT-3.1.0-1).
func (c *conn) onConnect(h mqtt.Header, body []byte) error {
	if h.Type != mqtt.CONNECT {
		return violation(mqtt.ProtocolError, "%s before CONNECT", h.Type)
	}
	var p mqtt.Connect
	err := p.Parse(h.Flags, body, 0)
	if p.Version >= mqtt.V5 {
		c.version = mqtt.V5
	} else if p.Version == mqtt.V31 {
		c.version = mqtt.V31
	}
	var bad *mqtt.Error
	if errors.As(err, &bad) {
		if c.version == mqtt.V5 || bad.Code == mqtt.UnsupportedProtocolVersion || bad.Code == mqtt.ClientIdentifierNotValid {
			return c.refuse(bad.Code, bad.Error())
		}
		return err // 3.x has no return code for a malformed packet
	}
	if err != nil {
		return err
	}
	if c.referred {
		return c.refuse(mqtt.UseAnotherServer, "broker.limits.connections reached")
	}
	if p.Properties != nil && p.Properties.Has&mqtt.AuthenticationMethod != 0 {
		return c.beginAuth(h, body, &p)
	}
	return c.accept(&p)
}

// refuse answers CONNECT and ends the connection.
func (c *conn) refuse(code mqtt.ReasonCode, why string) error {
	ack := &mqtt.Connack{Code: code}
	if c.version == mqtt.V5 {
		ack.Properties = c.b.because(code, why)
	}
	c.reply(ack)
	return &ending{code: code, why: why}
}

func (c *conn) accept(p *mqtt.Connect) error {
	props := p.Properties
	if props == nil {
		props = &mqtt.Properties{}
	}
	c.maxPacket = props.MaximumPacketSize
	if n := min(int(props.TopicAliasMaximum), maxAliases); n > 0 {
		c.toClient = &aliasTable{most: n}
	}
	c.client = principal{name: strings.Clone(p.ClientID)}
	if c.auth == nil {
		if err := c.authenticate(p); err != nil {
			return err
		}
	}
	assigned, code, why := c.identify(p)
	if code.Failed() {
		return c.refuse(code, why)
	}
	if c.b.access != nil {
		c.grants = c.b.access.Grants(c.user, c.client.name)
	}
	if code, why := c.takeWill(p.Will); code.Failed() {
		return c.refuse(code, why)
	}
	c.window = c.b.cfg.Limits.Inflight
	if props.Has&mqtt.ReceiveMaximum != 0 {
		c.window = min(c.window, int(props.ReceiveMaximum))
	}
	c.expiry = props.SessionExpiryInterval
	c.terse = props.Has&mqtt.RequestProblemInformation != 0 && props.RequestProblemInformation == 0
	if c.version != mqtt.V5 && !p.CleanStart {
		c.expiry = never
	}
	s, present, code := c.b.openSession(c, p.CleanStart)
	if code == mqtt.ClientIdentifierNotValid {
		return c.refuse(code, "the session of this client identifier belongs to another user, and is his until it ends: with DISCONNECT, if he connects with a clean start and no expiry")
	}
	if code.Failed() {
		return c.refuse(code, "the session cannot be opened: "+code.String())
	}
	c.b.greeted(c)
	c.b.stats.connects.Add(1)
	c.mu.Lock()
	c.sess = s
	c.mu.Unlock()
	keepAlive, imposed := c.b.keepAlive(c.version, p.KeepAlive)
	c.keepAlive = time.Duration(keepAlive) * time.Second * 3 / 2
	c.in.limit, c.in.deadline = time.Time{}, time.Unix(1, 0) // the socket's is CONNECT's: to be set anew in any case
	ack := &mqtt.Connack{SessionPresent: present && c.version != mqtt.V31}
	if c.version == mqtt.V5 {
		ack.Properties = c.offers(assigned)
		if imposed {
			ack.Properties.Has |= mqtt.ServerKeepAlive
			ack.Properties.ServerKeepAlive = keepAlive
		}
		if info := c.b.cfg.ResponseInformation; info != "" && props.RequestResponseInformation == 1 {
			ack.Properties.Has |= mqtt.ResponseInformation
			ack.Properties.ResponseInformation = strings.ReplaceAll(info, "{client_id}", c.client.name)
		}
	}
	c.reply(ack)
	c.b.log.Debug("connected", "client", c.client.name, "user", c.user, "remote", c.remote, "version", c.version.String(), "session present", present)
	s.attach(c)
	return nil
}

// offers are the properties of CONNACK.
func (c *conn) offers(assigned bool) *mqtt.Properties {
	p := &mqtt.Properties{
		Has:               mqtt.ReceiveMaximum | mqtt.MaximumPacketSize | mqtt.TopicAliasMaximum,
		ReceiveMaximum:    ackWindow,
		MaximumPacketSize: uint32(c.b.cfg.Limits.PacketBytes),
		TopicAliasMaximum: maxAliases,
	}
	if assigned {
		p.Has |= mqtt.AssignedClientIdentifier
		p.AssignedClientIdentifier = c.client.name
	}
	if c.auth != nil {
		p.Has |= mqtt.AuthenticationMethod | mqtt.AuthenticationData
		p.AuthenticationMethod, p.AuthenticationData = scramMethod, c.auth.answer
	}
	return p
}

// identify keeps each version's rules for client identifiers, and finds one for a client that brings none.
func (c *conn) identify(p *mqtt.Connect) (assigned bool, code mqtt.ReasonCode, why string) {
	switch n := len(p.ClientID); {
	case n > maxClientID:
		return false, mqtt.ClientIdentifierNotValid, "the client identifier is longer than 1,024 bytes"
	case c.version == mqtt.V31 && n == 0: // longer ones than its 23 characters are let in, as by every other server
		return false, mqtt.ClientIdentifierNotValid, "a client identifier has at least one byte in MQTT 3.1"
	case n == 0 && c.version == mqtt.V311 && !p.CleanStart:
		return false, mqtt.ClientIdentifierNotValid, "a session that is kept needs a client identifier (MQTT-3.1.3-8)"
	case n == 0:
		c.client.name = "auto-" + rand.Text()
		return true, mqtt.Success, ""
	}
	return false, mqtt.Success, ""
}

// takeWill keeps the will as a message of its own.
func (c *conn) takeWill(w *mqtt.Will) (mqtt.ReasonCode, string) {
	if w == nil {
		return mqtt.Success, ""
	}
	if code, why := c.may(toSend, w.Topic); code.Failed() {
		return code, "will: " + why
	}
	if p := w.Properties; p != nil {
		c.willDelay = p.WillDelayInterval
	}
	c.will = &edged.Message{
		Topic: strings.Clone(w.Topic), Payload: slices.Clone(w.Payload), QoS: edged.QoS(w.QoS), Retain: w.Retain,
		Props: fromProperties(w.Properties), From: c.client.name,
	}
	return mqtt.Success, ""
}
