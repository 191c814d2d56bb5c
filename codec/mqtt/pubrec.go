package mqtt

// Pubrec acknowledges.
type Pubrec struct {
	PacketID   uint16
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBREC.
func (*Pubrec) Type() Type { return PUBREC }

// Append appends the packet; see [Packet].
func (p *Pubrec) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pubrec) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
