package mqtt

// ack is what the four acknowledgements of a PUBLISH have in common. In version 5 they come in three lengths: with the
// packet identifier alone (success), with a reason code, and with properties too (MQTT 5.0 §3.4.2).
type ack struct {
	t          Type
	id         uint16
	code       ReasonCode
	properties *Properties
}

func (a ack) append(dst []byte, v Version) ([]byte, error) {
	flags := byte(0)
	if a.t == PUBREL {
		flags = 2
	}
	w := begin(dst, a.t, flags)
	w.fail(a.check(v))
	w.uint16(a.id)
	if v == V5 && (a.code != Success || !a.properties.empty()) {
		w.uint8(byte(a.code))
		if !a.properties.empty() {
			w.properties(a.properties, placeOf(a.t))
		}
	}
	return w.end(nil)
}

func (a *ack) parse(flags byte, body []byte, v Version) error {
	r := reader{b: body, t: a.t}
	r.fail(checkFlags(a.t, flags, v))
	a.id = r.uint16("packet identifier")
	if v == V5 && len(r.b) > 0 {
		a.code = ReasonCode(r.uint8("reason code"))
		if len(r.b) > 0 {
			a.properties = r.properties(placeOf(a.t))
		}
	}
	r.fail(a.check(v))
	return r.end()
}

func (a ack) check(v Version) *Error {
	if a.id == 0 {
		return refuse(ProtocolError, "MQTT-2.2.1-5", "%s: the packet identifier is 0; it must be that of the PUBLISH, 1 to 65535", a.t)
	}
	if v != V5 { // neither written nor read
		return nil
	}
	return checkReason(a.t, a.code)
}
