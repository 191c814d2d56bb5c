package wire

import "encoding/binary"

// Type is a control packet's type (MQTT 3.1.1 §2.2.1).
type Type byte

// The control packets that the generator uses.
const (
	CONNECT    Type = 1
	CONNACK    Type = 2
	PUBLISH    Type = 3
	PUBACK     Type = 4
	PUBREC     Type = 5
	PUBREL     Type = 6
	PUBCOMP    Type = 7
	SUBSCRIBE  Type = 8
	SUBACK     Type = 9
	DISCONNECT Type = 14
)

// AppendConnect appends a CONNECT of version 3.1.1 without keep alive, will and credentials.
func AppendConnect(b []byte, clientID string, clean bool) []byte {
	b = appendHeader(b, CONNECT, 0, 10+2+len(clientID))
	b = appendString(b, "MQTT")
	var flags byte
	if clean {
		flags = 2
	}
	b = append(b, 4, flags, 0, 0)
	return appendString(b, clientID)
}

// AppendSubscribe appends a SUBSCRIBE with the same requested QoS for all filters.
func AppendSubscribe(b []byte, id uint16, qos byte, filters ...string) []byte {
	n := 2
	for _, f := range filters {
		n += 2 + len(f) + 1
	}
	b = appendHeader(b, SUBSCRIBE, 2, n)
	b = binary.BigEndian.AppendUint16(b, id)
	for _, f := range filters {
		b = append(appendString(b, f), qos)
	}
	return b
}

// AppendPublish appends a PUBLISH; id is left out at QoS 0.
func AppendPublish(b []byte, topic string, payload []byte, qos byte, retain bool, id uint16) []byte {
	n := 2 + len(topic) + len(payload)
	flags := qos << 1
	if retain {
		flags |= 1
	}
	if qos > 0 {
		n += 2
	}
	b = appendString(appendHeader(b, PUBLISH, flags, n), topic)
	if qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return append(b, payload...)
}

// AppendAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP.
func AppendAck(b []byte, t Type, id uint16) []byte {
	var flags byte
	if t == PUBREL {
		flags = 2 // MQTT-3.6.1-1
	}
	return binary.BigEndian.AppendUint16(appendHeader(b, t, flags, 2), id)
}

// AppendDisconnect appends a DISCONNECT.
func AppendDisconnect(b []byte) []byte { return appendHeader(b, DISCONNECT, 0, 0) }

func appendHeader(b []byte, t Type, flags byte, n int) []byte {
	b = append(b, byte(t)<<4|flags)
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
