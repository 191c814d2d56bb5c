package mqtt

// Puback acknowledges a PUBLISH with QoS 1 (MQTT 5.0 §3.4).
type Puback struct {
	// PacketID is that of the PUBLISH, 1 to 65,535.
	PacketID uint16
	// Code is Success or why the message was not taken. 3.x knows success only and has no place for it.
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBACK.
func (*Puback) Type() Type { return PUBACK }

// Append appends the packet; see [Packet].
func (p *Puback) Append(dst []byte, v Version) ([]byte, error) {
	return ack{PUBACK, p.PacketID, p.Code, p.Properties}.append(dst, v)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Puback) Parse(flags byte, body []byte, v Version) error {
	a := ack{t: PUBACK}
	err := a.parse(flags, body, v)
	*p = Puback{a.id, a.code, a.properties}
	return err
}
