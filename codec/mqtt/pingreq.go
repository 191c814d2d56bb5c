package mqtt

// Pingreq says that the client is alive, and asks whether the server is (MQTT 5.0 §3.12).
type Pingreq struct{}

// Type is PINGREQ.
func (*Pingreq) Type() Type { return PINGREQ }

// Append appends the packet; see [Packet].
func (*Pingreq) Append(dst []byte, _ Version) ([]byte, error) {
	return append(dst, byte(PINGREQ)<<4, 0), nil
}

// Parse checks that the packet is as empty as it must be; see [Parse].
func (*Pingreq) Parse(flags byte, body []byte, v Version) error {
	r := reader{b: body, t: PINGREQ}
	r.fail(checkFlags(PINGREQ, flags, v))
	return r.end()
}
