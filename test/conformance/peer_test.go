package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
)

// peer is one connection of a script. What it receives is checked by codec/mqtt, which refuses reserved bits, reason codes
// that the packet cannot carry, and ill-formed properties.
type peer struct {
	*client.Conn
	s       *script
	id      string
	connack *mqtt.Connack
	lastID  uint16
}

type change = func(*mqtt.Connect)

// dial connects the socket only. No packet longer than limit may come; 0: no limit.
func (s *script) dial(limit int) *peer {
	ctx, cancel := soon()
	defer cancel()
	conn, err := client.DialConn(ctx, client.Options{URL: "mqtt://" + s.addr, Version: s.version, MaxPacket: limit})
	if err != nil {
		s.failf("%v", err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return &peer{Conn: conn, s: s}
}

// request is a CONNECT with a clean start and an identifier of its own.
func (s *script) request(changes ...change) *mqtt.Connect {
	c := &mqtt.Connect{Version: s.version, ClientID: unique("c"), CleanStart: true, KeepAlive: 60}
	for _, f := range changes {
		f(c)
	}
	return c
}

// ask sends CONNECT and leaves the answer to the script.
func (s *script) ask(changes ...change) *peer {
	c := s.request(changes...)
	limit := 0
	if c.Properties != nil && c.Properties.Has&mqtt.MaximumPacketSize != 0 {
		limit = int(c.Properties.MaximumPacketSize)
	}
	p := s.dial(limit)
	p.id = c.ClientID
	p.send(c)
	return p
}

// connect sends CONNECT and expects to be let in.
func (s *script) connect(changes ...change) *peer {
	p := s.ask(changes...)
	p.accepted()
	return p
}

func (p *peer) accepted() {
	p.connack = want[*mqtt.Connack](p)
	p.s.check(p.connack.Code == mqtt.Success, "CONNECT was refused: %v", p.connack.Code)
}

// durable asks for the session of that client identifier, which outlives the connection.
func durable(id string) change {
	return func(c *mqtt.Connect) {
		c.ClientID, c.CleanStart = id, false
		if c.Version == mqtt.V5 {
			with(func(p *mqtt.Properties) { p.Has |= mqtt.SessionExpiryInterval; p.SessionExpiryInterval = 1000 })(c)
		}
	}
}

func named(id string) change { return func(c *mqtt.Connect) { c.ClientID = id } }

// with changes the properties of CONNECT.
func with(f func(p *mqtt.Properties)) change {
	return func(c *mqtt.Connect) {
		if c.Properties == nil {
			c.Properties = &mqtt.Properties{}
		}
		f(c.Properties)
	}
}

// atMost sets the maximum packet size.
func atMost(n uint32) change {
	return with(func(p *mqtt.Properties) { p.Has |= mqtt.MaximumPacketSize; p.MaximumPacketSize = n })
}

func willed(w mqtt.Will) change { return func(c *mqtt.Connect) { c.Will = &w } }

// send sends packets, raw bytes as they are.
func (p *peer) send(packets ...any) {
	for _, x := range packets {
		var err error
		switch x := x.(type) {
		case mqtt.Packet:
			err = p.Send(x)
		case []byte:
			err = p.SendBytes(x)
		default:
			err = fmt.Errorf("%T is no packet", x)
		}
		if err != nil {
			p.s.failf("send: %v", err)
		}
	}
}

// next is the packet that comes next.
func (p *peer) next() (mqtt.Packet, error) {
	ctx, cancel := soon()
	defer cancel()
	return p.Receive(ctx)
}

// want is the packet that comes next, which must be a P.
func want[P mqtt.Packet](p *peer) (packet P) {
	got, err := p.next()
	if err != nil {
		p.s.failf("expected %v: %v", packet.Type(), err)
	}
	packet, ok := got.(P)
	if !ok {
		p.s.failf("expected %v, got %s", packet.Type(), show(got))
	}
	return packet
}

func show(p mqtt.Packet) string {
	return strings.Replace(fmt.Sprintf("%v %+v", p.Type(), p), "&", "", 1)
}

// message is the PUBLISH that comes next, with that topic and payload.
func (p *peer) message(topic, payload string) *mqtt.Publish {
	m := want[*mqtt.Publish](p)
	p.s.check(m.Topic == topic && string(m.Payload) == payload, "expected %q on %q, got %s", payload, topic, show(m))
	return m
}

// take acknowledges a message to its end.
func (p *peer) take(m *mqtt.Publish) {
	switch m.QoS {
	case 1:
		p.send(&mqtt.Puback{PacketID: m.PacketID})
	case 2:
		p.send(&mqtt.Pubrec{PacketID: m.PacketID})
		rel := want[*mqtt.Pubrel](p)
		p.s.check(rel.PacketID == m.PacketID, "PUBREL for %d, not for %d", rel.PacketID, m.PacketID)
		p.send(&mqtt.Pubcomp{PacketID: m.PacketID})
	}
}

// quiet shows that nothing is on its way: the answer to a ping comes first.
func (p *peer) quiet() {
	p.send(&mqtt.Pingreq{})
	want[*mqtt.Pingresp](p)
}

func (p *peer) newID() uint16 {
	p.lastID++
	return p.lastID
}

// publish sends a message and completes its exchange, so that it has been routed.
func (p *peer) publish(topic, payload string, qos byte, changes ...func(*mqtt.Publish)) {
	m := &mqtt.Publish{Topic: topic, Payload: []byte(payload), QoS: qos}
	if qos > 0 {
		m.PacketID = p.newID()
	}
	for _, f := range changes {
		f(m)
	}
	p.send(m)
	switch qos {
	case 0:
		p.quiet()
	case 1:
		ack := want[*mqtt.Puback](p)
		p.s.check(ack.PacketID == m.PacketID && !ack.Code.Failed(), "PUBLISH %d was answered with %s", m.PacketID, show(ack))
	case 2:
		rec := want[*mqtt.Pubrec](p)
		p.s.check(rec.PacketID == m.PacketID && !rec.Code.Failed(), "PUBLISH %d was answered with %s", m.PacketID, show(rec))
		p.send(&mqtt.Pubrel{PacketID: m.PacketID})
		comp := want[*mqtt.Pubcomp](p)
		p.s.check(comp.PacketID == m.PacketID && comp.Code == mqtt.Success, "PUBREL %d was answered with %s", m.PacketID, show(comp))
	}
}

func retained(m *mqtt.Publish) { m.Retain = true }

func carrying(props mqtt.Properties) func(*mqtt.Publish) {
	return func(m *mqtt.Publish) { m.Properties = &props }
}

// subscribe expects the QoS to be granted.
func (p *peer) subscribe(filter string, qos byte, changes ...func(*mqtt.Filter)) {
	f := mqtt.Filter{Filter: filter, QoS: qos}
	for _, change := range changes {
		change(&f)
	}
	codes := p.filters(nil, f)
	p.s.check(len(codes) == 1 && codes[0] == mqtt.ReasonCode(qos), "SUBSCRIBE %q with QoS %d was answered with %v", filter, qos, codes)
}

// filters subscribes and returns what SUBACK says.
func (p *peer) filters(props *mqtt.Properties, filters ...mqtt.Filter) []mqtt.ReasonCode {
	id := p.newID()
	p.send(&mqtt.Subscribe{PacketID: id, Filters: filters, Properties: props})
	ack := want[*mqtt.Suback](p)
	p.s.check(ack.PacketID == id, "SUBACK for %d, not for %d", ack.PacketID, id)
	return ack.Codes
}

func (p *peer) unsubscribe(filters ...string) *mqtt.Unsuback {
	id := p.newID()
	p.send(&mqtt.Unsubscribe{PacketID: id, Filters: filters})
	ack := want[*mqtt.Unsuback](p)
	p.s.check(ack.PacketID == id, "UNSUBACK for %d, not for %d", ack.PacketID, id)
	return ack
}

// leave says DISCONNECT and waits until the server has closed, so that the session is free.
func (p *peer) leave() {
	p.send(&mqtt.Disconnect{})
	p.ended()
}

// drop cuts the connection without a word.
func (p *peer) drop() { _ = p.Close() }

// ended expects the end of the connection, and nothing before it.
func (p *peer) ended() {
	got, err := p.next()
	switch {
	case err == nil:
		p.s.failf("expected the end of the connection, got %s", show(got))
	case errors.Is(err, context.DeadlineExceeded):
		p.s.failf("the server does not close the connection")
	}
}

// closed expects that the server ends the connection: version 5 says why, with one of the codes.
func (p *peer) closed(codes ...mqtt.ReasonCode) {
	if p.s.version == mqtt.V5 {
		bye := want[*mqtt.Disconnect](p)
		p.s.check(oneOf(bye.Code, codes), "DISCONNECT with %#x (%v), expected %x", byte(bye.Code), bye.Code, codes)
	}
	p.ended()
}

// refused expects a CONNACK with one of the codes and the end of the connection.
func (p *peer) refused(codes ...mqtt.ReasonCode) {
	ack := want[*mqtt.Connack](p)
	p.s.check(oneOf(ack.Code, codes) && !ack.SessionPresent, "CONNACK with %#x (%v), expected %x", byte(ack.Code), ack.Code, codes)
	p.ended()
}

// malformed expects the end of a CONNECT that cannot be read: 3.x has no word for it.
func (p *peer) malformed() {
	if p.s.version == mqtt.V5 {
		p.refused(mqtt.MalformedPacket, mqtt.ProtocolError)
		return
	}
	p.ended()
}
