package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// read handles packets until the connection ends.
func (c *Client) read() {
	defer close(c.messages)
	c.end(c.serve())
	err := c.Err() // nil: Disconnect or Close was first
	defer c.linger().Stop()
	var bad *mqtt.Error
	if errors.As(err, &bad) && c.conn.version == mqtt.V5 {
		err = c.leave(bad.Code) // the server is told why, if it still listens
	}
	if err == nil {
		_, _ = io.Copy(io.Discard, c.conn.nc) // ends when the server closes, or linger does
	}
	_ = c.conn.Close() // an error: it is closed
}

// serve returns nil when the client was told to stop, and otherwise why it cannot go on.
func (c *Client) serve() error {
	for {
		var deadline time.Time
		if c.keepAlive > 0 {
			deadline = time.Now().Add(c.keepAlive + c.keepAlive/2)
		}
		if err := c.conn.nc.SetReadDeadline(deadline); err != nil {
			return err
		}
		p, err := c.conn.receive()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("the server did not answer a ping for %v", c.keepAlive+c.keepAlive/2)
		}
		if err == nil {
			err = c.handle(p)
		}
		if err != nil {
			return err
		}
		select {
		case <-c.stop:
			return nil
		default:
		}
	}
}

func (c *Client) handle(p mqtt.Packet) error {
	switch p := p.(type) {
	case *mqtt.Publish:
		return c.publish(p)
	case *mqtt.Pubrel:
		return c.pubrel(p)
	case *mqtt.Puback:
		return c.answer(p, p.PacketID, p.Properties, p.Code)
	case *mqtt.Pubrec:
		if p.Code.Failed() {
			return c.answer(p, p.PacketID, p.Properties, p.Code)
		}
		if !c.advance(p.PacketID) {
			return unexpected(p, p.PacketID)
		}
		return c.conn.Send(&mqtt.Pubrel{PacketID: p.PacketID})
	case *mqtt.Pubcomp:
		return c.answer(p, p.PacketID, p.Properties, p.Code)
	case *mqtt.Suback:
		return c.answer(p, p.PacketID, p.Properties, p.Codes...)
	case *mqtt.Unsuback:
		return c.answer(p, p.PacketID, p.Properties, p.Codes...)
	case *mqtt.Pingresp:
		return nil
	case *mqtt.Disconnect:
		return &CodeError{Packet: mqtt.DISCONNECT, Code: p.Code, Reason: reason(p.Properties)}
	default:
		return &mqtt.Error{Code: mqtt.ProtocolError, Problem: fmt.Sprintf("%v from the server", p.Type())}
	}
}

// publish hands a message over, then acknowledges it. A QoS 2 message that comes again before PUBREL is the same one
// (MQTT-4.3.3-10).
func (c *Client) publish(p *mqtt.Publish) error {
	if p.QoS < 2 || !c.received[p.PacketID] {
		c.handing.Store(true)
		select {
		case c.messages <- *p:
		case <-c.stop:
			return nil // not acknowledged: the server keeps it
		}
		c.handing.Store(false)
	}
	switch p.QoS {
	case 1:
		return c.conn.Send(&mqtt.Puback{PacketID: p.PacketID})
	case 2:
		c.received[p.PacketID] = true
		return c.conn.Send(&mqtt.Pubrec{PacketID: p.PacketID})
	}
	return nil
}

// pubrel completes a QoS 2 message. One that is not known comes from an earlier connection, and is completed too.
func (c *Client) pubrel(p *mqtt.Pubrel) error {
	comp := &mqtt.Pubcomp{PacketID: p.PacketID}
	if !c.received[p.PacketID] {
		comp.Code = mqtt.PacketIdentifierNotFound
	}
	delete(c.received, p.PacketID)
	return c.conn.Send(comp)
}

// ping sends PINGREQ twice in a keep-alive time.
func (c *Client) ping() {
	if c.keepAlive == 0 {
		return
	}
	tick := time.NewTicker(c.keepAlive / 2)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
			if err := c.conn.Send(&mqtt.Pingreq{}); err != nil {
				c.end(err) // Send has closed the connection, which ends the reader
				return
			}
		}
	}
}
