package client

import (
	"fmt"

	"github.com/edged/edged/codec/mqtt"
)

// CodeError is a refusal: the server said no to a packet, or ended the connection.
type CodeError struct {
	// Packet is the type in which the server said so: CONNACK, PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT.
	Packet mqtt.Type
	// Code is why.
	Code mqtt.ReasonCode
	// Reason is the server's reason string, or empty.
	Reason string
	// Subject is the topic or the filter that was refused, or empty.
	Subject string
}

func (e *CodeError) Error() string {
	var s string
	switch e.Packet {
	case mqtt.CONNACK:
		s = "the server refused the connection: "
	case mqtt.DISCONNECT:
		s = "the server ended the connection: "
	default:
		s = fmt.Sprintf("the server refused %q: ", e.Subject)
	}
	s += e.Code.String()
	if e.Reason != "" {
		s += fmt.Sprintf(" (%q)", e.Reason)
	}
	return s
}

// reason is the reason string in p, which may be nil.
func reason(p *mqtt.Properties) string {
	if p == nil {
		return ""
	}
	return p.ReasonString
}
