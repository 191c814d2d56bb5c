package mqtt

// Disconnect is the last packet of a connection (MQTT 5.0 §3.14).
type Disconnect struct {
	// Code is why. 3.x has no place for it: there only clients send the packet, and mean NormalDisconnection.
	Code       ReasonCode
	Properties *Properties
}

// Type is DISCONNECT.
func (*Disconnect) Type() Type { return DISCONNECT }

// Append appends the packet; see [Packet].
func (p *Disconnect) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, DISCONNECT, 0)
	if v == V5 && (p.Code != NormalDisconnection || !p.Properties.empty()) {
		w.fail(checkReason(DISCONNECT, p.Code))
		w.uint8(byte(p.Code))
		if !p.Properties.empty() {
			w.properties(p.Properties, inDisconnect)
		}
	}
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Disconnect) Parse(flags byte, body []byte, v Version) error {
	*p = Disconnect{}
	r := reader{b: body, t: DISCONNECT}
	r.fail(checkFlags(DISCONNECT, flags, v))
	if v == V5 && len(r.b) > 0 {
		p.Code = ReasonCode(r.uint8("reason code"))
		r.fail(checkReason(DISCONNECT, p.Code))
		if len(r.b) > 0 {
			p.Properties = r.properties(inDisconnect)
		}
	}
	return r.end()
}
