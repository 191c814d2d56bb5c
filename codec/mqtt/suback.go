package mqtt

// Suback answers SUBSCRIBE (MQTT 5.0 §3.9).
type Suback struct {
	// PacketID is that of the SUBSCRIBE, 1 to 65,535.
	PacketID uint16
	// Codes answer the filters in their order: the QoS granted, or why not. 3.x has UnspecifiedError (0x80) for every
	// failure.
	Codes      []ReasonCode
	Properties *Properties
}

// Type is SUBACK.
func (*Suback) Type() Type { return SUBACK }

// Append appends the packet; see [Packet].
func (p *Suback) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, SUBACK, 0)
	w.fail(p.check())
	w.uint16(p.PacketID)
	if v == V5 {
		w.properties(p.Properties, inSuback)
	}
	for _, c := range p.Codes {
		if v != V5 && c.Failed() {
			c = UnspecifiedError
		}
		w.uint8(byte(c))
	}
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Suback) Parse(flags byte, body []byte, v Version) error {
	*p = Suback{}
	r := reader{b: body, t: SUBACK}
	r.fail(checkFlags(SUBACK, flags, v))
	p.PacketID = r.uint16("packet identifier")
	if v == V5 {
		p.Properties = r.properties(inSuback)
	}
	p.Codes = r.codes()
	for _, c := range p.Codes {
		if v != V5 && c.Failed() && c != UnspecifiedError {
			r.fail(refuse(ProtocolError, "MQTT-3.9.3-2", "SUBACK: the return code is 0x%02X; it must be 0, 1, 2 or 0x80", byte(c)))
			break // one error is enough: a packet can hold a million
		}
	}
	r.fail(p.check())
	return r.end()
}

// codes reads reason codes up to the end of the packet.
func (r *reader) codes() []ReasonCode {
	b := r.take(len(r.b), "reason codes")
	codes := make([]ReasonCode, len(b))
	for i, c := range b {
		codes[i] = ReasonCode(c)
	}
	return codes
}

func (p *Suback) check() *Error {
	switch {
	case p.PacketID == 0:
		return refuse(ProtocolError, "MQTT-2.2.1-6", "SUBACK: the packet identifier is 0; it must be that of the SUBSCRIBE, 1 to 65535")
	case len(p.Codes) == 0:
		return refuse(ProtocolError, "MQTT-3.8.4-6", "SUBACK: no reason code; it must have one for each topic filter")
	}
	for _, c := range p.Codes {
		if e := checkReason(SUBACK, c); e != nil {
			return e
		}
	}
	return nil
}
