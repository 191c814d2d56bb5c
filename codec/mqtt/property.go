package mqtt

// PropertySet is a set of the properties that a packet carries at most once.
type PropertySet uint32

// The properties that a packet carries at most once, in the order of their identifiers (MQTT 5.0 §2.2.2.2). The two
// others, subscription identifiers and user properties, are lists.
const (
	PayloadFormatIndicator PropertySet = 1 << iota
	MessageExpiryInterval
	ContentType
	ResponseTopic
	CorrelationData
	SessionExpiryInterval
	AssignedClientIdentifier
	ServerKeepAlive
	AuthenticationMethod
	AuthenticationData
	RequestProblemInformation
	WillDelayInterval
	RequestResponseInformation
	ResponseInformation
	ServerReference
	ReasonString
	ReceiveMaximum
	TopicAliasMaximum
	TopicAlias
	MaximumQoS
	RetainAvailable
	MaximumPacketSize
	WildcardSubscriptionAvailable
	SubscriptionIdentifierAvailable
	SharedSubscriptionAvailable
)

// Properties are the properties of a packet, or of a will, in version 5: one struct for all packets. A nil *Properties
// is written as an empty list, and an empty list is parsed as nil; 3.x has none.
type Properties struct {
	// Has says which of the properties below are present, lists aside: only those are written. Those absent are zero
	// after parsing, whatever the standard's default; see the accessor of each packet's owner.
	Has PropertySet

	// PayloadFormatIndicator is 0 for unspecified bytes, 1 for UTF-8. PUBLISH, will.
	PayloadFormatIndicator byte
	// MessageExpiryInterval in seconds. PUBLISH, will.
	MessageExpiryInterval uint32
	// ContentType describes the payload. PUBLISH, will.
	ContentType string
	// ResponseTopic is a topic name. PUBLISH, will.
	ResponseTopic string
	// CorrelationData is 0 to 65,535 bytes. PUBLISH, will.
	CorrelationData []byte
	// SubscriptionIdentifiers are 1 to 268,435,455 each; SUBSCRIBE carries at most one. PUBLISH, SUBSCRIBE.
	SubscriptionIdentifiers []uint32
	// SessionExpiryInterval in seconds; 0xFFFFFFFF: never. CONNECT, CONNACK, DISCONNECT.
	SessionExpiryInterval uint32
	// AssignedClientIdentifier is what the server called a client without a name. CONNACK.
	AssignedClientIdentifier string
	// ServerKeepAlive in seconds replaces the client's keep alive. CONNACK.
	ServerKeepAlive uint16
	// AuthenticationMethod names the method of an extended authentication. CONNECT, CONNACK, AUTH.
	AuthenticationMethod string
	// AuthenticationData is 0 to 65,535 bytes. CONNECT, CONNACK, AUTH.
	AuthenticationData []byte
	// RequestProblemInformation is 0 or 1; absent means 1. CONNECT.
	RequestProblemInformation byte
	// RequestResponseInformation is 0 or 1; absent means 0. CONNECT.
	RequestResponseInformation byte
	// WillDelayInterval in seconds. Will.
	WillDelayInterval uint32
	// ResponseInformation is the base of a response topic. CONNACK.
	ResponseInformation string
	// ServerReference names another server. CONNACK, DISCONNECT.
	ServerReference string
	// ReasonString is for people. CONNACK, the acknowledgements, DISCONNECT, AUTH.
	ReasonString string
	// ReceiveMaximum is 1 to 65,535; absent means 65,535. CONNECT, CONNACK.
	ReceiveMaximum uint16
	// TopicAliasMaximum is 0 to 65,535; absent means 0. CONNECT, CONNACK.
	TopicAliasMaximum uint16
	// TopicAlias is 1 to 65,535. PUBLISH.
	TopicAlias uint16
	// MaximumQoS is 0 or 1; absent means 2. CONNACK.
	MaximumQoS byte
	// RetainAvailable is 0 or 1; absent means 1. CONNACK.
	RetainAvailable byte
	// MaximumPacketSize is 1 to 4,294,967,295 bytes; absent: no limit. CONNECT, CONNACK.
	MaximumPacketSize uint32
	// WildcardSubscriptionAvailable is 0 or 1; absent means 1. CONNACK.
	WildcardSubscriptionAvailable byte
	// SubscriptionIdentifierAvailable is 0 or 1; absent means 1. CONNACK.
	SubscriptionIdentifierAvailable byte
	// SharedSubscriptionAvailable is 0 or 1; absent means 1. CONNACK.
	SharedSubscriptionAvailable byte
	// User holds the user properties in the order in which they were sent; names may repeat. All packets and the will.
	User []UserProperty
}

// UserProperty is a name-value pair of the application's.
type UserProperty struct{ Name, Value string }
