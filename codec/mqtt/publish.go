package mqtt

// Publish carries a message.
type Publish struct {
	Dup        bool
	QoS        byte
	Retain     bool
	Topic      string
	PacketID   uint16
	Properties *Properties
	Payload    []byte
}

// Type is PUBLISH.
func (*Publish) Type() Type { return PUBLISH }

// Append appends the packet; see [Packet].
func (p *Publish) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Publish) Parse(flags byte, body []byte, v Version) error { panic("TODO") }
