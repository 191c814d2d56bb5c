package mqtt

// Encoded is a PUBLISH encoded once for many subscribers that speak the same version (3.1 and 3.1.1 are alike here).
// They share its bytes, and each has its own DUP, QoS, RETAIN and packet identifier:
//
//	┌────────────┬──────────────────┬───────┬───────────────────┬────────────┬─────────┐
//	│ type,flags │ remaining length │ topic │ packet identifier │ properties │ payload │
//	└────────────┴──────────────────┴───────┴───────────────────┴────────────┴─────────┘
//	 ╰───────── Append ────────────╯ ╰body╯  ╰───── Append ────╯ ╰──────── body ───────╯
//
// A subscriber that needs properties of its own, such as subscription identifiers or a topic alias, gets a packet of
// its own by [Publish.Append]. An Encoded never changes, so several goroutines may use it at once.
type Encoded struct {
	body []byte
	tail int // where the properties, or else the payload, begin in body
	data int // where the payload begins
}

// Encode encodes what the subscribers of version v have in common: topic, properties and payload, all copied. Dup, QoS,
// Retain and PacketID of p are not used.
func (p *Publish) Encode(v Version) (Encoded, error) {
	common := Publish{Topic: p.Topic, Properties: p.Properties}
	if err := common.check(v); err != nil {
		return Encoded{}, err
	}
	if v == V5 && p.Properties != nil && p.Properties.Has&TopicAlias != 0 {
		return Encoded{}, refuse(TopicAliasInvalid, "MQTT-3.3.2-7", "PUBLISH: a topic alias belongs to one connection; it cannot be shared")
	}
	tooLarge := func(n int) *Error {
		if n += len(p.Payload) + 2; n > MaxLength { // 2 for the packet identifier
			return refuse(PacketTooLarge, "", "PUBLISH: %d bytes; a packet holds at most %d", n, MaxLength)
		}
		return nil
	}
	n := 2 + len(p.Topic)
	if v == V5 {
		n++ // the property length
	}
	if err := tooLarge(n); err != nil { // before it is allocated
		return Encoded{}, err
	}
	w := writer{t: PUBLISH, b: make([]byte, 0, n+len(p.Payload))}
	w.string("topic", p.Topic)
	tail := len(w.b)
	if v == V5 {
		w.properties(p.Properties, inPublish)
		w.fail(tooLarge(len(w.b)))
	}
	if w.err != nil {
		return Encoded{}, w.err
	}
	return Encoded{body: append(w.b, p.Payload...), tail: tail, data: len(w.b)}, nil
}

// Payload is the number of bytes of the payload.
func (e Encoded) Payload() int { return len(e.body) - e.data }

// Size is how many bytes Append appends for a subscriber of that QoS: what a maximum packet size is compared with.
func (e Encoded) Size(qos byte) int {
	n := e.length(qos)
	return 1 + varintSize(uint32(n)) + n
}

// Append appends the whole packet for one subscriber. packetID is 1 to 65,535, and not used with QoS 0.
func (e Encoded) Append(dst []byte, dup bool, qos byte, retain bool, packetID uint16) []byte {
	dst = append(dst, byte(PUBLISH)<<4|publishFlags(dup, qos, retain))
	dst = appendVarint(dst, uint32(e.length(qos)))
	dst = append(dst, e.body[:e.tail]...)
	if qos > 0 {
		dst = append(dst, byte(packetID>>8), byte(packetID))
	}
	return append(dst, e.body[e.tail:]...)
}

// length is the remaining length for a subscriber of that QoS.
func (e Encoded) length(qos byte) int {
	if qos > 0 {
		return len(e.body) + 2
	}
	return len(e.body)
}
