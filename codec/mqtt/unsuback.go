package mqtt

// Unsuback answers UNSUBSCRIBE.
type Unsuback struct {
	PacketID   uint16
	Codes      []ReasonCode
	Properties *Properties
}

// Type is UNSUBACK.
func (*Unsuback) Type() Type { return UNSUBACK }

// Append appends the packet; see [Packet].
func (p *Unsuback) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Unsuback) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
