package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is returned for bytes that are no MQTT packet.
var ErrMalformed = errors.New("malformed packet")

// Packet is a control packet as it came: Body aliases the buffer it was read from.
type Packet struct {
	Type Type
	// Flags are the low four bits of the first byte.
	Flags byte
	// Body is everything after the fixed header.
	Body []byte
}

// Next cuts the first packet off b and returns how many bytes it took; 0: b holds no whole packet yet.
func Next(b []byte) (Packet, int, error) {
	var length, shift int
	for i := 1; i < len(b); i++ {
		length |= int(b[i]&0x7f) << shift
		if b[i]&0x80 == 0 {
			head := i + 1
			if len(b)-head < length {
				return Packet{}, 0, nil
			}
			return Packet{Type: Type(b[0] >> 4), Flags: b[0] & 0x0f, Body: b[head : head+length]}, head + length, nil
		}
		if shift += 7; shift == 28 { // four bytes at most (MQTT 3.1.1 §2.2.3)
			return Packet{}, 0, fmt.Errorf("%w: remaining length is longer than four bytes", ErrMalformed)
		}
	}
	return Packet{}, 0, nil
}

// ID returns the packet identifier of an acknowledgement; 0: there is none.
func (p Packet) ID() uint16 {
	if len(p.Body) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(p.Body)
}

// Publish is a PUBLISH packet taken apart; Topic and Payload alias the buffer it was read from.
type Publish struct {
	Topic, Payload []byte
	QoS            byte
	Dup, Retain    bool
	// ID is the packet identifier; 0 at QoS 0.
	ID uint16
}

// Publish takes a PUBLISH packet apart.
func (p Packet) Publish() (Publish, error) {
	m := Publish{QoS: p.Flags >> 1 & 3, Dup: p.Flags&8 != 0, Retain: p.Flags&1 != 0}
	b := p.Body
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) || m.QoS == 3 {
		return m, fmt.Errorf("%w: PUBLISH of %d bytes, flags %#x", ErrMalformed, len(b), p.Flags)
	}
	n := int(binary.BigEndian.Uint16(b))
	m.Topic, b = b[2:2+n], b[2+n:]
	if m.QoS > 0 {
		if len(b) < 2 {
			return m, fmt.Errorf("%w: PUBLISH without packet identifier", ErrMalformed)
		}
		m.ID, b = binary.BigEndian.Uint16(b), b[2:]
	}
	m.Payload = b
	return m, nil
}
