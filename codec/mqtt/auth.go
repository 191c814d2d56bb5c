package mqtt

// Auth goes on with an extended authentication.
type Auth struct {
	Code       ReasonCode
	Properties *Properties
}

// Type is AUTH.
func (*Auth) Type() Type { return AUTH }

// Append appends the packet; see [Packet].
func (p *Auth) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Auth) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
