package mqtt

// Puback acknowledges.
type Puback struct {
	PacketID   uint16
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBACK.
func (*Puback) Type() Type { return PUBACK }

// Append appends the packet; see [Packet].
func (p *Puback) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Puback) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
