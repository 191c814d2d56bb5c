package mqtt

// Connack answers CONNECT (MQTT 5.0 §3.2).
type Connack struct {
	// SessionPresent says that the server goes on with a session it has; only with Success, and not in 3.1.
	SessionPresent bool
	// Code is Success or why the connection is refused. In 3.x it travels as a return code of 0 to 5; see
	// [ReasonCode.ReturnCode].
	Code       ReasonCode
	Properties *Properties
}

// Type is CONNACK.
func (*Connack) Type() Type { return CONNACK }

// Append appends the packet; see [Packet].
func (p *Connack) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, CONNACK, 0)
	w.fail(p.check())
	if p.SessionPresent && v != V31 {
		w.uint8(1)
	} else {
		w.uint8(0)
	}
	if v != V5 {
		w.uint8(p.Code.ReturnCode())
		return w.end(nil)
	}
	w.uint8(byte(p.Code))
	w.properties(p.Properties, inConnack)
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Connack) Parse(flags byte, body []byte, v Version) error {
	*p = Connack{}
	r := reader{b: body, t: CONNACK}
	r.fail(checkFlags(CONNACK, flags, v))
	if ack := r.uint8("acknowledge flags"); v != V31 { // 3.1 does not say what it holds
		if ack > 1 {
			r.fail(refuse(MalformedPacket, "MQTT-3.2.2-1", "CONNACK: reserved bits are set in the acknowledge flags %08b", ack))
		}
		p.SessionPresent = ack&1 != 0
	}
	code := r.uint8("reason code")
	if v == V5 {
		p.Code = ReasonCode(code)
		p.Properties = r.properties(inConnack)
	} else if int(code) < len(reasonOfReturnCode) {
		p.Code = reasonOfReturnCode[code]
	} else {
		r.fail(refuse(ProtocolError, "MQTT-3.2.2-8", "CONNACK: the return code is %d; it must be 0 to %d", code, len(reasonOfReturnCode)-1))
	}
	r.fail(p.check())
	return r.end()
}

func (p *Connack) check() *Error {
	if p.SessionPresent && p.Code != Success {
		return refuse(ProtocolError, "MQTT-3.2.2-6", "CONNACK: session present in a refusal (%s)", p.Code)
	}
	return checkReason(CONNACK, p.Code)
}
