package mqtt

// Unsubscribe ends the subscriptions of one or more topic filters (MQTT 5.0 §3.10).
type Unsubscribe struct {
	// PacketID is 1 to 65,535.
	PacketID uint16
	// Filters are topic filters, as they were subscribed to; at least one.
	Filters    []string
	Properties *Properties
}

// Type is UNSUBSCRIBE.
func (*Unsubscribe) Type() Type { return UNSUBSCRIBE }

// Append appends the packet; see [Packet].
func (p *Unsubscribe) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, UNSUBSCRIBE, 2)
	w.fail(p.check())
	w.uint16(p.PacketID)
	if v == V5 {
		w.properties(p.Properties, inUnsubscribe)
	}
	for _, f := range p.Filters {
		w.fail(checkTopicFilter(UNSUBSCRIBE, f, v))
		w.string("topic filter", f)
	}
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Unsubscribe) Parse(flags byte, body []byte, v Version) error {
	*p = Unsubscribe{}
	r := reader{b: body, t: UNSUBSCRIBE}
	r.fail(checkFlags(UNSUBSCRIBE, flags, v))
	p.PacketID = r.uint16("packet identifier")
	if v == V5 {
		p.Properties = r.properties(inUnsubscribe)
	}
	p.Filters = make([]string, 0, countFilters(r, 0))
	for len(r.b) > 0 && r.err == nil {
		f := r.string("topic filter")
		r.fail(checkTopicFilter(UNSUBSCRIBE, f, v))
		p.Filters = append(p.Filters, f)
	}
	r.fail(p.check())
	return r.end()
}

func (p *Unsubscribe) check() *Error {
	switch {
	case p.PacketID == 0:
		return refuse(ProtocolError, "MQTT-2.2.1-3", "UNSUBSCRIBE: the packet identifier is 0; it must be 1 to 65535")
	case len(p.Filters) == 0:
		return refuse(ProtocolError, "MQTT-3.10.3-2", "UNSUBSCRIBE: no topic filter; it must have at least one")
	}
	return nil
}
