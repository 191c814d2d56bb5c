package mqtt

// Subscribe subscribes.
type Subscribe struct {
	PacketID   uint16
	Filters    []Filter
	Properties *Properties
}

// Type is SUBSCRIBE.
func (*Subscribe) Type() Type { return SUBSCRIBE }

// Append appends the packet; see [Packet].
func (p *Subscribe) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Subscribe) Parse(flags byte, body []byte, v Version) error { panic("TODO") }

// Filter is one subscription of a SUBSCRIBE.
type Filter struct {
	Filter                     string
	QoS                        byte
	NoLocal, RetainAsPublished bool
	RetainHandling             byte
}
