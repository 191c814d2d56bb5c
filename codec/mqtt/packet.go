package mqtt

import "fmt"

// Type is the control packet type, the high half of a packet's first byte (MQTT 5.0 §2.1.2).
type Type byte

// The control packet types. AUTH exists in version 5 only.
const (
	CONNECT Type = iota + 1
	CONNACK
	PUBLISH
	PUBACK
	PUBREC
	PUBREL
	PUBCOMP
	SUBSCRIBE
	SUBACK
	UNSUBSCRIBE
	UNSUBACK
	PINGREQ
	PINGRESP
	DISCONNECT
	AUTH
)

var typeNames = [16]string{
	"reserved type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String is the standard's name of the packet: "PUBLISH".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("no packet type (%d)", byte(t))
}

// Packet is any of the control packets; the types of this package that implement it are pointers: *Connect, *Publish, ….
type Packet interface {
	// Type is the control packet type.
	Type() Type
	// Append appends the whole packet, fixed header included, as version v writes it. What v has no place for
	// (properties and reason codes in 3.x) is left out. On an error, a field that does not fit the standard, dst is
	// returned as it was.
	Append(dst []byte, v Version) ([]byte, error)
}

// Parse parses body, the h.Length bytes that follow the fixed header, as version v reads them; CONNECT states its own
// version. Errors are of type *Error. With an error the packet is returned too where its type is known, filled as far
// as it was read: a refused CONNECT is answered in the version it asked for.
//
// Strings and byte slices of the packet alias body: body must not change while the packet is in use.
func Parse(h Header, body []byte, v Version) (Packet, error) {
	var p interface {
		Packet
		Parse(flags byte, body []byte, v Version) error
	}
	switch h.Type {
	case CONNECT:
		p = new(Connect)
	case CONNACK:
		p = new(Connack)
	case PUBLISH:
		p = new(Publish)
	case PUBACK:
		p = new(Puback)
	case PUBREC:
		p = new(Pubrec)
	case PUBREL:
		p = new(Pubrel)
	case PUBCOMP:
		p = new(Pubcomp)
	case SUBSCRIBE:
		p = new(Subscribe)
	case SUBACK:
		p = new(Suback)
	case UNSUBSCRIBE:
		p = new(Unsubscribe)
	case UNSUBACK:
		p = new(Unsuback)
	case PINGREQ:
		p = new(Pingreq)
	case PINGRESP:
		p = new(Pingresp)
	case DISCONNECT:
		p = new(Disconnect)
	case AUTH:
		p = new(Auth)
	default:
		return nil, refuse(MalformedPacket, "", "packet type %d is reserved", byte(h.Type))
	}
	return p, p.Parse(h.Flags, body, v)
}
