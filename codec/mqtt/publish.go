package mqtt

// Publish carries an application message (MQTT 5.0 §3.3).
type Publish struct {
	// Dup says that the packet may have been sent before; never with QoS 0.
	Dup bool
	// QoS is 0, 1 or 2.
	QoS    byte
	Retain bool
	// Topic is a topic name; in version 5 it may be empty when a topic alias stands in for it.
	Topic string
	// PacketID is 1 to 65,535; 0 and not written with QoS 0.
	PacketID   uint16
	Properties *Properties
	// Payload is whatever is left of the packet, perhaps nothing.
	Payload []byte
}

// Type is PUBLISH.
func (*Publish) Type() Type { return PUBLISH }

// Append appends the packet; see [Packet]. What goes to many subscribers is better encoded once, with [Publish.Encode].
func (p *Publish) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, PUBLISH, publishFlags(p.Dup, p.QoS, p.Retain))
	w.fail(p.check(v))
	w.string("topic", p.Topic)
	if p.QoS > 0 {
		w.uint16(p.PacketID)
	}
	if v == V5 {
		w.properties(p.Properties, inPublish)
	}
	return w.end(p.Payload)
}

// Parse resets p and reads the packet from its flags and body; see [Parse]. Without properties it allocates nothing.
func (p *Publish) Parse(flags byte, body []byte, v Version) error {
	*p = Publish{Dup: flags&flagDup != 0, QoS: flags >> 1 & 3, Retain: flags&flagRetain != 0}
	r := reader{b: body, t: PUBLISH}
	r.fail(checkFlags(PUBLISH, flags, v))
	p.Topic = r.string("topic")
	if p.QoS > 0 {
		p.PacketID = r.uint16("packet identifier")
	}
	if v == V5 {
		p.Properties = r.properties(inPublish)
	}
	p.Payload = r.take(len(r.b), "payload")
	r.fail(p.check(v))
	return r.end()
}

func publishFlags(dup bool, qos byte, retain bool) byte {
	flags := qos & 3 << 1
	if dup {
		flags |= flagDup
	}
	if retain {
		flags |= flagRetain
	}
	return flags
}

// check checks what the fields may hold; their form is checked by reader and writer.
func (p *Publish) check(v Version) *Error {
	if p.QoS > 2 || p.QoS == 0 && p.Dup {
		return checkFlags(PUBLISH, publishFlags(p.Dup, min(p.QoS, 3), p.Retain), v)
	}
	if p.QoS > 0 && p.PacketID == 0 {
		return refuse(ProtocolError, "MQTT-2.2.1-3", "PUBLISH: the packet identifier is 0; with QoS %d it must be 1 to 65535", p.QoS)
	}
	if p.Topic == "" && v == V5 {
		if p.Properties != nil && p.Properties.Has&TopicAlias != 0 {
			return nil
		}
		return refuse(ProtocolError, "", "PUBLISH: neither a topic nor a topic alias")
	}
	return checkTopicName(PUBLISH, "topic", p.Topic, "MQTT-3.3.2-2")
}
