package mqtt

// Pingresp answers PINGREQ.
type Pingresp struct {
}

// Type is PINGRESP.
func (*Pingresp) Type() Type { return PINGRESP }

// Append appends the packet; see [Packet].
func (p *Pingresp) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pingresp) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
