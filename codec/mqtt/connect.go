package mqtt

// Connect is the first packet of a client: it asks for a connection and a session (MQTT 5.0 §3.1).
type Connect struct {
	// Version is the protocol level. After a Parse that failed with UnsupportedProtocolVersion it is what the client
	// asked for, which need not be any of the constants.
	Version Version
	// CleanStart asks for a new session; 3.x calls it clean session, and also ends the session with the connection then.
	CleanStart bool
	// KeepAlive is the longest time between two packets of the client, in seconds; 0: no limit.
	KeepAlive uint16
	// ClientID may be empty, but in 3.x only with CleanStart. Length limits (3.1: 23 bytes) are the server's.
	ClientID string
	// Will is nil when there is none.
	Will *Will
	// HasUsername says that Username is present, if perhaps empty.
	HasUsername bool
	Username    string
	// HasPassword says that Password is present, if perhaps empty. In 3.x it needs a user name beside it.
	HasPassword bool
	Password    []byte
	Properties  *Properties
}

// Will is the message that the server publishes when the client goes without a good-bye (MQTT 5.0 §3.1.2.5).
type Will struct {
	// Topic is a topic name.
	Topic string
	// Payload is 0 to 65,535 bytes.
	Payload []byte
	// QoS is 0, 1 or 2.
	QoS    byte
	Retain bool
	// Properties are those of a PUBLISH without the topic alias, and the will delay interval.
	Properties *Properties
}

// The connect flags (MQTT 5.0 §3.1.2.3); the will's QoS lies in bits 3 and 4.
const (
	connectReserved   = 1 << 0
	connectCleanStart = 1 << 1
	connectWill       = 1 << 2
	connectWillQoS    = 3 << 3
	connectWillRetain = 1 << 5
	connectPassword   = 1 << 6
	connectUsername   = 1 << 7
)

// protocolName is the name that goes with each protocol level (MQTT 3.1 §3.1; MQTT 5.0 §3.1.2.1).
func protocolName(v Version) string {
	switch v {
	case V31:
		return "MQIsdp"
	case V311, V5:
		return "MQTT"
	}
	return ""
}

// Type is CONNECT.
func (*Connect) Type() Type { return CONNECT }

// Append appends the packet; see [Packet]. It is written as p.Version; v is used when that is 0.
func (p *Connect) Append(dst []byte, v Version) ([]byte, error) {
	if p.Version != 0 {
		v = p.Version
	}
	w := begin(dst, CONNECT, 0)
	w.fail(p.check(v))
	w.string("protocol name", protocolName(v))
	w.uint8(byte(v))
	w.uint8(p.flags())
	w.uint16(p.KeepAlive)
	if v == V5 {
		w.properties(p.Properties, inConnect)
	}
	w.string("client identifier", p.ClientID)
	if p.Will != nil {
		if v == V5 {
			w.properties(p.Will.Properties, inWill)
		}
		w.string("will topic", p.Will.Topic)
		w.bytes("will payload", p.Will.Payload)
	}
	if p.HasUsername {
		w.string("user name", p.Username)
	}
	if p.HasPassword {
		w.bytes("password", p.Password)
	}
	return w.end(nil)
}

func (p *Connect) flags() (flags byte) {
	set := func(yes bool, bit byte) {
		if yes {
			flags |= bit
		}
	}
	set(p.CleanStart, connectCleanStart)
	set(p.HasUsername, connectUsername)
	set(p.HasPassword, connectPassword)
	if p.Will != nil {
		set(true, connectWill|p.Will.QoS<<3)
		set(p.Will.Retain, connectWillRetain)
	}
	return flags
}

// Parse resets p and reads the packet from its flags and body; see [Parse]. The version is what the packet says: the
// last argument is not used.
func (p *Connect) Parse(flags byte, body []byte, _ Version) error {
	*p = Connect{}
	r := reader{b: body, t: CONNECT}
	name := r.string("protocol name")
	v := Version(r.uint8("protocol level"))
	if r.err != nil {
		return r.err
	}
	p.Version = v
	if protocolName(v) == "" && (name == "MQTT" || name == "MQIsdp") {
		return refuse(UnsupportedProtocolVersion, "MQTT-3.1.2-2", "CONNECT: protocol level %d; it must be 3 (3.1), 4 (3.1.1) or 5 (5.0)", byte(v))
	}
	if name != protocolName(v) {
		return refuse(UnsupportedProtocolVersion, "MQTT-3.1.2-1", "CONNECT: protocol name %q with level %d; it must be MQTT with 4 or 5, or MQIsdp with 3", clip(name), byte(v))
	}
	r.fail(checkFlags(CONNECT, flags, v))

	has := r.uint8("connect flags")
	r.fail(checkConnectFlags(has, v))
	p.CleanStart = has&connectCleanStart != 0
	p.KeepAlive = r.uint16("keep alive")
	if v == V5 {
		p.Properties = r.properties(inConnect)
	}
	p.ClientID = r.string("client identifier")
	if has&connectWill != 0 {
		p.Will = &Will{QoS: has & connectWillQoS >> 3, Retain: has&connectWillRetain != 0}
		if v == V5 {
			p.Will.Properties = r.properties(inWill)
		}
		p.Will.Topic = r.string("will topic")
		p.Will.Payload = r.bytes("will payload")
	}
	// In 3.1 the remaining length takes precedence over these two flags: the fields may be missing (MQTT 3.1 §3.1).
	missing := func() bool { return v == V31 && r.err == nil && len(r.b) == 0 }
	if has&connectUsername != 0 && !missing() {
		p.HasUsername, p.Username = true, r.string("user name")
	}
	if has&connectPassword != 0 && !missing() {
		p.HasPassword, p.Password = true, r.bytes("password")
	}
	r.fail(p.check(v))
	return r.end()
}

// checkConnectFlags checks the connect flags against each other.
func checkConnectFlags(has byte, v Version) *Error {
	switch {
	case has&connectReserved != 0:
		return refuse(MalformedPacket, "MQTT-3.1.2-3", "CONNECT: the reserved flag is set")
	case has&connectWill == 0 && has&connectWillQoS != 0:
		return refuse(MalformedPacket, "MQTT-3.1.2-13", "CONNECT: a will QoS without a will")
	case has&connectWill == 0 && has&connectWillRetain != 0:
		return refuse(MalformedPacket, "MQTT-3.1.2-15", "CONNECT: will retain without a will")
	case has&connectPassword != 0 && has&connectUsername == 0 && v != V5:
		return errPasswordAlone()
	}
	return nil
}

func errPasswordAlone() *Error {
	return refuse(MalformedPacket, "MQTT-3.1.2-22 of 3.1.1", "CONNECT: a password without a user name, which only version 5 allows")
}

// check checks what the fields may hold; their form is checked by reader and writer.
func (p *Connect) check(v Version) *Error {
	switch {
	case protocolName(v) == "":
		return refuse(UnsupportedProtocolVersion, "MQTT-3.1.2-2", "CONNECT: there is no version of MQTT with protocol level %d", byte(v))
	case p.HasPassword && !p.HasUsername && v != V5:
		return errPasswordAlone()
	case p.ClientID == "" && !p.CleanStart && v != V5:
		return refuse(ClientIdentifierNotValid, "MQTT-3.1.3-8 of 3.1.1", "CONNECT: the client identifier is empty and clean session is not set: nobody could find that session again")
	case p.Will == nil:
		return nil
	case p.Will.QoS > 2:
		return refuse(MalformedPacket, "MQTT-3.1.2-14", "CONNECT: the will's QoS is %d; it must be 0, 1 or 2", p.Will.QoS)
	}
	return checkTopicName(CONNECT, "will topic", p.Will.Topic, "MQTT-4.7.0-1")
}
