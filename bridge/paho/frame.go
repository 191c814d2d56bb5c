package paho

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The control packet types of MQTT 3.1.1 §2.2.1 that the guard looks at.
const (
	connack    = 2
	publish    = 3
	puback     = 4
	pubrec     = 5
	pubrel     = 6
	pubcomp    = 7
	subscribe  = 8
	suback     = 9
	pingresp   = 13
	disconnect = 14
)

// header is a fixed header (MQTT 3.1.1 §2.2).
type header struct {
	kind, flags byte
	length      int
}

var errLength = errors.New("malformed remaining length")

// parseHeader reads a fixed header; n == 0: more bytes are needed.
func parseHeader(b []byte) (h header, n int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.kind, h.flags = b[0]>>4, b[0]&15
	for i, digit := range b[1:] {
		h.length |= int(digit&0x7F) << (7 * i)
		switch {
		case digit == 0 && i > 0, digit >= 0x80 && i == 3:
			return h, 0, errLength // not the shortest form, or a fifth byte
		case digit < 0x80:
			return h, i + 2, nil
		}
	}
	return h, 0, nil
}

// appendLength writes a remaining length.
func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// check refuses what a server must not send, or what paho would take wrongly.
func (h header) check(body []byte) error {
	bad := func(what string) error {
		return fmt.Errorf("the server sent a malformed packet: type %d, flags %d, length %d: %s", h.kind, h.flags, h.length, what)
	}
	wantFlags, wantLength, hasID := byte(0), 2, true
	switch h.kind {
	case publish:
		return nil // publishTopic checks it
	case connack:
		hasID = false
		if len(body) == 2 && (body[0] > 1 || body[1] > 5) {
			return bad("flags or return code unknown")
		}
	case puback, pubrec, pubcomp:
	case pubrel:
		wantFlags = 2
	case suback:
		wantLength = max(len(body), 3)
		for _, code := range body[min(2, len(body)):] {
			if code > 2 && code != 0x80 {
				return bad("return code unknown")
			}
		}
	case pingresp:
		wantLength, hasID = 0, false
	default:
		return bad("not for a client")
	}
	switch {
	case h.flags != wantFlags:
		return bad("reserved flags")
	case len(body) != wantLength:
		return bad("wrong length")
	case hasID && binary.BigEndian.Uint16(body) == 0:
		return bad("packet identifier 0")
	}
	return nil
}

// publishTopic checks a PUBLISH and returns its topic.
func publishTopic(h header, body []byte) (string, error) {
	qos := h.flags >> 1 & 3
	need := 2
	if qos > 0 {
		need = 4
	}
	if qos == 3 || len(body) < need {
		return "", fmt.Errorf("the server sent a malformed PUBLISH: QoS %d, length %d", qos, len(body))
	}
	n := int(binary.BigEndian.Uint16(body))
	if len(body) < need+n {
		return "", errors.New("the server sent a malformed PUBLISH: the topic is longer than the packet")
	}
	if qos > 0 && binary.BigEndian.Uint16(body[2+n:]) == 0 {
		return "", errors.New("the server sent a malformed PUBLISH: packet identifier 0")
	}
	return string(body[2 : 2+n]), nil
}

// countFilters counts the topic filters of a SUBSCRIBE that paho made.
func countFilters(b []byte) int {
	n := 0
	for len(b) > 2 {
		skip := 2 + int(binary.BigEndian.Uint16(b)) + 1
		if skip > len(b) {
			break
		}
		b = b[skip:]
		n++
	}
	return n
}
