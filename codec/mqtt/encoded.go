package mqtt

// Encoded is a PUBLISH encoded once for many subscribers of one version: they share its bytes, while each has flags and a packet
// identifier of its own. It does not change any more and may be used by several goroutines.
type Encoded struct {
	body []byte
	tail int // where the properties and the payload begin in body, after the topic
}

// Encode encodes what all subscribers of version v have in common: topic, properties, payload. V31 and V311 are alike here.
func (p *Publish) Encode(v Version) (Encoded, error) { panic("TODO") }

// Size is how many bytes Append will append for a subscriber of that QoS.
func (e Encoded) Size(qos byte) int { panic("TODO") }

// Append appends the whole packet for one subscriber. packetID is 1 to 65,535, and not used with QoS 0.
func (e Encoded) Append(dst []byte, dup bool, qos byte, retain bool, packetID uint16) []byte {
	panic("TODO")
}
