package mqtt

// Unsubscribe unsubscribes.
type Unsubscribe struct {
	PacketID   uint16
	Filters    []string
	Properties *Properties
}

// Type is UNSUBSCRIBE.
func (*Unsubscribe) Type() Type { return UNSUBSCRIBE }

// Append appends the packet; see [Packet].
func (p *Unsubscribe) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Unsubscribe) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
