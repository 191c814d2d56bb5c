package mqtt

// Pubrel releases the packet identifier of a PUBLISH with QoS 2, in answer to PUBREC (MQTT 5.0 §3.6).
type Pubrel struct {
	// PacketID is that of the PUBLISH, 1 to 65,535.
	PacketID uint16
	// Code is Success or PacketIdentifierNotFound. 3.x knows success only and has no place for it.
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBREL.
func (*Pubrel) Type() Type { return PUBREL }

// Append appends the packet; see [Packet].
func (p *Pubrel) Append(dst []byte, v Version) ([]byte, error) {
	return ack{PUBREL, p.PacketID, p.Code, p.Properties}.append(dst, v)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pubrel) Parse(flags byte, body []byte, v Version) error {
	a := ack{t: PUBREL}
	err := a.parse(flags, body, v)
	*p = Pubrel{a.id, a.code, a.properties}
	return err
}
