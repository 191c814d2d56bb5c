package mqtt

// Pingreq keeps alive.
type Pingreq struct {
}

// Type is PINGREQ.
func (*Pingreq) Type() Type { return PINGREQ }

// Append appends the packet; see [Packet].
func (p *Pingreq) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pingreq) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
