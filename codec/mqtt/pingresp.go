package mqtt

// Pingresp answers PINGREQ (MQTT 5.0 §3.13).
type Pingresp struct{}

// Type is PINGRESP.
func (*Pingresp) Type() Type { return PINGRESP }

// Append appends the packet; see [Packet].
func (*Pingresp) Append(dst []byte, _ Version) ([]byte, error) {
	return append(dst, byte(PINGRESP)<<4, 0), nil
}

// Parse checks that the packet is as empty as it must be; see [Parse].
func (*Pingresp) Parse(flags byte, body []byte, v Version) error {
	r := reader{b: body, t: PINGRESP}
	r.fail(checkFlags(PINGRESP, flags, v))
	return r.end()
}
