package mqtt

// Connack answers CONNECT.
type Connack struct {
	SessionPresent bool
	Code           ReasonCode
	Properties     *Properties
}

// Type is CONNACK.
func (*Connack) Type() Type { return CONNACK }

// Append appends the packet; see [Packet].
func (p *Connack) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Connack) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
