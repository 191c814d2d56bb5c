package mqtt

// Topic is the topic that was encoded. It must not be changed.
func (e Encoded) Topic() []byte { return e.body[2:e.tail] }

// aliasProperty is how many bytes a topic alias takes among the properties.
const aliasProperty = 3

// SizeAliased is how many bytes AppendAliased appends.
func (e Encoded) SizeAliased(qos byte, named bool) int {
	n, _, _ := e.aliased(qos, named)
	return 1 + varintSize(uint32(n)) + n
}

// AppendAliased is Append for a version 5 subscriber who knows the topic by an alias, or, named, is told it together with the
// alias (MQTT 5.0 §3.3.2.3.4). alias is 1 to the client's topic alias maximum.
func (e Encoded) AppendAliased(dst []byte, dup bool, qos byte, retain bool, packetID, alias uint16, named bool) []byte {
	n, properties, rest := e.aliased(qos, named)
	dst = append(dst, byte(PUBLISH)<<4|publishFlags(dup, qos, retain))
	dst = appendVarint(dst, uint32(n))
	if named {
		dst = append(dst, e.body[:e.tail]...)
	} else {
		dst = append(dst, 0, 0)
	}
	if qos > 0 {
		dst = append(dst, byte(packetID>>8), byte(packetID))
	}
	dst = appendVarint(dst, uint32(properties))
	dst = append(dst, 0x23, byte(alias>>8), byte(alias))
	return append(dst, e.body[rest:]...)
}

// aliased returns the remaining length and the length of the properties with an alias, and where in body the properties begin.
func (e Encoded) aliased(qos byte, named bool) (length, properties, rest int) {
	rest = e.tail
	for shift := 0; ; shift += 7 {
		b := e.body[rest]
		rest++
		properties |= int(b&0x7F) << shift
		if b < 0x80 {
			break
		}
	}
	properties += aliasProperty
	length = 2 + varintSize(uint32(properties)) + aliasProperty + len(e.body) - rest
	if named {
		length += e.tail - 2
	}
	if qos > 0 {
		length += 2
	}
	return length, properties, rest
}
