package mqtt

// Connect asks for a connection.
type Connect struct {
	Version     Version
	CleanStart  bool
	KeepAlive   uint16
	ClientID    string
	Will        *Will
	HasUsername bool
	Username    string
	HasPassword bool
	Password    []byte
	Properties  *Properties
}

// Type is CONNECT.
func (*Connect) Type() Type { return CONNECT }

// Append appends the packet; see [Packet].
func (p *Connect) Append(dst []byte, v Version) ([]byte, error) { panic("TODO") }

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Connect) Parse(flags byte, body []byte, v Version) error { panic("TODO") }

// Will is the message that the server publishes when the client dies.
type Will struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Retain     bool
	Properties *Properties
}
