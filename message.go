package edged

import "time"

// QoS is MQTT's quality of service (MQTT 5.0 §4.3): 0 at most once, 1 at least once, 2 exactly once.
type QoS byte

// The three levels of delivery.
const (
	AtMostOnce  QoS = 0
	AtLeastOnce QoS = 1
	ExactlyOnce QoS = 2
)

// Message is an application message on its way. It is passed by value, but Payload and Props are shared by all who hold
// a copy: nobody changes them after the message was published.
type Message struct {
	// Topic is a topic name: 1 to 65,535 bytes of UTF-8, no wildcards.
	Topic string
	// Payload is the application's bytes; nil and empty mean the same.
	Payload []byte
	// QoS is the level at which the message travels, the lower one of its publisher's and its subscription's.
	QoS QoS
	// Retain, from a publisher, asks to keep the message as the topic's last known value; to a subscriber, it says
	// that this is such a value, or (with retain as published) that the publisher asked for it.
	Retain bool
	// Props are the version 5 properties that travel end to end; nil: none.
	Props *Properties
	// From is the principal that published: a network client's client identifier, or an in-process client's name. It
	// guards against loops and is what access rules look at.
	From string
	// Time is when edged received the message.
	Time time.Time
}

// Properties are the PUBLISH properties that a server forwards unaltered (MQTT 5.0 §3.3.2.3).
type Properties struct {
	// HasPayloadFormat says that PayloadFormat is present: the payload format indicator, 0 unspecified bytes, 1 UTF-8.
	HasPayloadFormat bool
	PayloadFormat    byte
	// HasExpiry says that Expiry is present; 0 is a value like any other.
	HasExpiry bool
	// Expiry is the message expiry interval, in seconds after Message.Time.
	Expiry uint32
	// HasContentType says that ContentType is present; it may be empty.
	HasContentType bool
	ContentType    string
	ResponseTopic  string
	// CorrelationData is nil when it is absent; it may be present and empty.
	CorrelationData []byte
	// User holds the user properties, in the order in which they were sent; names may repeat.
	User []UserProperty
}

// UserProperty is a name-value pair of the application's (MQTT 5.0 §3.3.2.3.7).
type UserProperty struct{ Name, Value string }

// Expired says whether the message's expiry interval has passed at now.
func (m *Message) Expired(now time.Time) bool {
	return m.Props != nil && m.Props.HasExpiry && now.Sub(m.Time) >= time.Duration(m.Props.Expiry)*time.Second
}
