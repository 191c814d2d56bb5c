package mqtt

// Disconnect ends a connection.
type Disconnect struct {
	Code       ReasonCode
	Properties *Properties
}

// Type is DISCONNECT.
func (*Disconnect) Type() Type { return DISCONNECT }

// Append appends the packet; see [Packet].
func (p *Disconnect) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Disconnect) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
