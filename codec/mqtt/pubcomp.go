package mqtt

// Pubcomp acknowledges.
type Pubcomp struct {
	PacketID   uint16
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBCOMP.
func (*Pubcomp) Type() Type { return PUBCOMP }

// Append appends the packet; see [Packet].
func (p *Pubcomp) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pubcomp) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
