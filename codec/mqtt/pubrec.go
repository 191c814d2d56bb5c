package mqtt

// Pubrec says that a PUBLISH with QoS 2 was received (MQTT 5.0 §3.5).
type Pubrec struct {
	// PacketID is that of the PUBLISH, 1 to 65,535.
	PacketID uint16
	// Code is Success or why the message was not taken, which ends the exchange. 3.x knows success only and has no place for it.
	Code       ReasonCode
	Properties *Properties
}

// Type is PUBREC.
func (*Pubrec) Type() Type { return PUBREC }

// Append appends the packet; see [Packet].
func (p *Pubrec) Append(dst []byte, v Version) ([]byte, error) {
	return ack{PUBREC, p.PacketID, p.Code, p.Properties}.append(dst, v)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Pubrec) Parse(flags byte, body []byte, v Version) error {
	a := ack{t: PUBREC}
	err := a.parse(flags, body, v)
	*p = Pubrec{a.id, a.code, a.properties}
	return err
}
