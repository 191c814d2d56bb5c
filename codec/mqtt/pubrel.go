package mqtt

// Pubrel acknowledges.
type Pubrel struct {
	PacketID   uint16
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBREL.
func (*Pubrel) Type() Type { return PUBREL }

// Append appends the packet; see [Packet].
func (p *Pubrel) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pubrel) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
