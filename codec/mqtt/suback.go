package mqtt

// Suback answers SUBSCRIBE.
type Suback struct {
	PacketID   uint16
	Codes      []ReasonCode
	Properties *Properties
}

// Type is SUBACK.
func (*Suback) Type() Type { return SUBACK }

// Append appends the packet; see [Packet].
func (p *Suback) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Suback) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
