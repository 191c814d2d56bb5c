package mqtt

// Pubcomp completes a PUBLISH with QoS 2, in answer to PUBREL (MQTT 5.0 §3.7).
type Pubcomp struct {
	// PacketID is that of the PUBLISH, 1 to 65,535.
	PacketID uint16
	// Code is Success or PacketIdentifierNotFound. 3.x knows success only and has no place for it.
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBCOMP.
func (*Pubcomp) Type() Type { return PUBCOMP }

// Append appends the packet; see [Packet].
func (p *Pubcomp) Append(dst []byte, v Version) ([]byte, error) {
	return ack{PUBCOMP, p.PacketID, p.Code, p.Properties}.append(dst, v)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pubcomp) Parse(flags byte, body []byte, v Version) error {
	a := ack{t: PUBCOMP}
	err := a.parse(flags, body, v)
	*p = Pubcomp{a.id, a.code, a.properties}
	return err
}
