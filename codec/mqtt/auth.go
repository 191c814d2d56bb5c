package mqtt

// Auth goes on with an extended authentication, in either direction; version 5 only (MQTT 5.0 §3.15).
type Auth struct {
	// Code is Success, ContinueAuthentication or ReAuthenticate.
	Code ReasonCode
	// Properties hold the authentication method; only with Success they may be missing.
	Properties *Properties
}

// Type is AUTH.
func (*Auth) Type() Type { return AUTH }

// Append appends the packet; see [Packet]. In 3.x it is an error.
func (p *Auth) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, AUTH, 0)
	w.fail(p.check(v))
	if p.Code != Success || !p.Properties.empty() {
		w.uint8(byte(p.Code))
		w.properties(p.Properties, inAuth)
	}
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse]. In 3.x it is an error.
func (p *Auth) Parse(flags byte, body []byte, v Version) error {
	*p = Auth{}
	r := reader{b: body, t: AUTH}
	r.fail(checkFlags(AUTH, flags, v))
	if len(r.b) > 0 {
		p.Code = ReasonCode(r.uint8("reason code"))
		p.Properties = r.properties(inAuth)
	}
	r.fail(p.check(v))
	return r.end()
}

func (p *Auth) check(v Version) *Error {
	switch {
	case v != V5:
		return refuse(ProtocolError, "", "AUTH in version %s; only 5.0 has it", v)
	case p.Code != Success && (p.Properties == nil || p.Properties.Has&AuthenticationMethod == 0):
		return refuse(ProtocolError, "MQTT-4.12.0-5", "AUTH: no authentication method; it must be that of the CONNECT")
	}
	return checkReason(AUTH, p.Code)
}
