package mqtt

// Unsuback answers UNSUBSCRIBE (MQTT 5.0 §3.11).
type Unsuback struct {
	// PacketID is that of the UNSUBSCRIBE, 1 to 65,535.
	PacketID uint16
	// Codes answer the filters in their order. 3.x has no place for them, and parses none.
	Codes      []ReasonCode
	Properties *Properties
}

// Type is UNSUBACK.
func (*Unsuback) Type() Type { return UNSUBACK }

// Append appends the packet; see [Packet].
func (p *Unsuback) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, UNSUBACK, 0)
	w.fail(p.check(v))
	w.uint16(p.PacketID)
	if v == V5 {
		w.properties(p.Properties, inUnsuback)
		for _, c := range p.Codes {
			w.uint8(byte(c))
		}
	}
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Unsuback) Parse(flags byte, body []byte, v Version) error {
	*p = Unsuback{}
	r := reader{b: body, t: UNSUBACK}
	r.fail(checkFlags(UNSUBACK, flags, v))
	p.PacketID = r.uint16("packet identifier")
	if v == V5 {
		p.Properties = r.properties(inUnsuback)
		p.Codes = r.codes()
	}
	r.fail(p.check(v))
	return r.end()
}

func (p *Unsuback) check(v Version) *Error {
	if p.PacketID == 0 {
		return refuse(ProtocolError, "MQTT-2.2.1-6", "UNSUBACK: the packet identifier is 0; it must be that of the UNSUBSCRIBE, 1 to 65535")
	}
	if v != V5 {
		return nil
	}
	if len(p.Codes) == 0 {
		return refuse(ProtocolError, "MQTT-3.11.3-1", "UNSUBACK: no reason code; it must have one for each topic filter")
	}
	for _, c := range p.Codes {
		if e := checkReason(UNSUBACK, c); e != nil {
			return e
		}
	}
	return nil
}
