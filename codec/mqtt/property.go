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
	// after parsing, whatever the standard's default.
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

// empty says whether there is nothing to write.
func (p *Properties) empty() bool {
	return p == nil || p.Has == 0 && len(p.SubscriptionIdentifiers) == 0 && len(p.User) == 0
}

// properties reads a property list with its length (MQTT 5.0 §2.2.2); in says which properties may stand there.
func (r *reader) properties(in place) *Properties {
	n := r.varint("property length")
	b := r.take(int(n), "properties")
	if len(b) == 0 {
		return nil
	}
	p := new(Properties)
	list := reader{b: b, t: r.t}
	for len(list.b) > 0 && list.err == nil {
		list.property(p, in)
	}
	list.fail(p.checkTogether(r.t))
	r.fail(list.err)
	return p
}

// property reads one property into p.
func (r *reader) property(p *Properties, in place) {
	left := r.b
	id := r.varint("property identifier")
	e := propertyByID(id)
	switch {
	case r.err != nil:
		return
	case e == nil:
		r.fail(refuse(MalformedPacket, "", "%s: the property 0x%02X does not exist", r.t, id))
		return
	case p.Has&e.has != 0:
		r.fail(refuse(ProtocolError, "", "%s: the property %s is given twice", r.t, e.name))
		return
	}
	r.fail(e.checkIn(r.t, in))
	p.Has |= e.has
	switch f := e.field(p).(type) {
	case *byte:
		*f = r.uint8(e.name)
		r.fail(e.checkRange(r.t, uint32(*f)))
	case *uint16:
		*f = r.uint16(e.name)
		r.fail(e.checkRange(r.t, uint32(*f)))
	case *uint32:
		*f = r.uint32(e.name)
		r.fail(e.checkRange(r.t, *f))
	case *string:
		*f = r.string(e.name)
		r.fail(e.checkText(r.t, *f))
	case *[]byte:
		*f = r.bytes(e.name)
	case *[]uint32:
		if *f == nil {
			*f = make([]uint32, 0, countProperty(left, e))
		}
		*f = append(*f, r.varint(e.name))
		r.fail(e.checkRange(r.t, (*f)[len(*f)-1]))
	case *[]UserProperty:
		if *f == nil {
			*f = make([]UserProperty, 0, countProperty(left, e))
		}
		*f = append(*f, UserProperty{r.string("user property's name"), r.string("user property's value")})
	}
}

// noProperties tells countProperty the types of the fields; it is never written to.
var noProperties Properties

// countProperty counts how often e stands in the properties b, up to the first fault, so that its list is allocated
// once and as long as it needs to be.
func countProperty(b []byte, e *property) (n int) {
	r := reader{b: b}
	for len(r.b) > 0 {
		other := propertyByID(r.varint(""))
		if r.err != nil || other == nil {
			break
		}
		switch other.field(&noProperties).(type) {
		case *byte:
			r.take(1, "")
		case *uint16:
			r.take(2, "")
		case *uint32:
			r.take(4, "")
		case *string, *[]byte:
			r.bytes("")
		case *[]uint32:
			r.varint("")
		case *[]UserProperty:
			r.bytes("")
			r.bytes("")
		}
		if r.err != nil {
			break
		}
		if other == e {
			n++
		}
	}
	return n
}

// properties writes p with its length, in the order of the table.
func (w *writer) properties(p *Properties, in place) {
	at := len(w.b)
	w.uint8(0)
	if p.empty() {
		return
	}
	w.fail(p.checkTogether(w.t))
	for i := range propertyTable {
		e := &propertyTable[i]
		if e.has == 0 || p.Has&e.has != 0 {
			w.property(e, p, in)
		}
	}
	w.length(at, 0)
}

// property writes e's value, or all values of its list.
func (w *writer) property(e *property, p *Properties, in place) {
	number := func(x uint32) {
		w.fail(e.checkIn(w.t, in))
		w.fail(e.checkRange(w.t, x))
		w.uint8(e.id)
	}
	switch f := e.field(p).(type) {
	case *byte:
		number(uint32(*f))
		w.uint8(*f)
	case *uint16:
		number(uint32(*f))
		w.uint16(*f)
	case *uint32:
		number(*f)
		w.uint32(*f)
	case *string:
		w.fail(e.checkIn(w.t, in))
		w.fail(e.checkText(w.t, *f))
		w.uint8(e.id)
		w.string(e.name, *f)
	case *[]byte:
		w.fail(e.checkIn(w.t, in))
		w.uint8(e.id)
		w.bytes(e.name, *f)
	case *[]uint32:
		for _, x := range *f {
			number(x)
			w.b = appendVarint(w.b, x)
		}
	case *[]UserProperty:
		for _, u := range *f {
			w.uint8(e.id)
			w.string("user property's name", u.Name)
			w.string("user property's value", u.Value)
		}
	}
}
