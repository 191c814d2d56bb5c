package broker

import (
	"net/netip"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// isVersion5 is how the body of a version 5 CONNECT begins.
const isVersion5 = "\x00\x04MQTT\x05"

// tooLong refuses a CONNECT, or what comes before CONNACK, by its header.
func (c *conn) tooLong(h mqtt.Header, n, limit int, version5 bool) error {
	why := violation(mqtt.PacketTooLarge, "a %s of %d bytes; broker.limits.connect_bytes is %d", h.Type, n+h.Length, limit)
	if version5 || c.auth != nil {
		c.version = mqtt.V5
		return c.refuse(why.code, why.why)
	}
	return why
}

// fullHouse is the limit at which clients are told of another server, if there is one.
const fullHouse = "broker.limits.connections"

// maxReferred is how many connections there may be beyond the limit, only to be told so.
const maxReferred = 32

// refers says whether one more client may be told where else to go. b.mu is held.
func (b *Broker) refers(from netip.Addr) bool {
	l := &b.cfg.Limits
	return b.cfg.ServerReference != "" && len(b.conns) < l.Connections+maxReferred && b.door.connecting < l.Connecting &&
		b.door.addresses[from] < l.ConnectionsPerAddress+maxReferred
}

// goodbye is why connections end when the broker does.
func (b *Broker) goodbye() *ending {
	if b.cfg.ServerReference == "" {
		return errStopping
	}
	return &ending{code: mqtt.UseAnotherServer, why: errStopping.why, quiet: true}
}

// because are the properties that explain a code to the client.
func (b *Broker) because(code mqtt.ReasonCode, why string) *mqtt.Properties {
	p := &mqtt.Properties{Has: mqtt.ReasonString, ReasonString: why}
	if code == mqtt.UseAnotherServer {
		p.Has |= mqtt.ServerReference
		p.ServerReference = b.cfg.ServerReference
	}
	return p
}

// keepAlive is the interval that holds for a client who asks for one, in seconds; imposed: a version 5 client must be told it. Others
// cannot be told, and keep theirs.
func (b *Broker) keepAlive(v mqtt.Version, asked uint16) (seconds uint16, imposed bool) {
	most := uint16(b.cfg.Limits.KeepAlive / time.Second)
	if most == 0 || v != mqtt.V5 || asked > 0 && asked <= most {
		return asked, false
	}
	return most, true
}
