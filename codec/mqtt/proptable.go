package mqtt

// place is a set of the places where a reason code or a property may stand: packets by their type, and the will.
type place uint16

func placeOf(t Type) place { return 1 << t }

const (
	inWill        place = 1 << 0
	inConnect     place = 1 << CONNECT
	inConnack     place = 1 << CONNACK
	inPublish     place = 1 << PUBLISH
	inPuback      place = 1 << PUBACK
	inPubrec      place = 1 << PUBREC
	inPubrel      place = 1 << PUBREL
	inPubcomp     place = 1 << PUBCOMP
	inSubscribe   place = 1 << SUBSCRIBE
	inSuback      place = 1 << SUBACK
	inUnsubscribe place = 1 << UNSUBSCRIBE
	inUnsuback    place = 1 << UNSUBACK
	inDisconnect  place = 1 << DISCONNECT
	inAuth        place = 1 << AUTH

	inMessage = inPublish | inWill
	inAcks    = inPuback | inPubrec | inPubrel | inPubcomp | inSuback | inUnsuback
	anywhere  = inWill | inConnect | inConnack | inPublish | inAcks | inSubscribe | inUnsubscribe | inDisconnect | inAuth
)

// property is what the standard says of one property.
type property struct {
	id   byte
	name string
	// has is its bit in Properties.Has; 0: a list.
	has PropertySet
	in  place
	// field points to its value. The pointer's type says how it is written: *byte, *uint16 and *uint32 as integers of
	// that size, *string as a UTF-8 encoded string, *[]byte as binary data, *[]uint32 as variable byte integers, each a
	// property of its own, *[]UserProperty as pairs of strings, likewise.
	field func(*Properties) any
	// min and max bound an integer; max 0: whatever the field holds.
	min, max uint32
}

// propertyTable holds all properties in the order of their identifiers (MQTT 5.0 §2.2.2.2, table 2-4), in which they are
// written too.
var propertyTable = [...]property{
	{0x01, "payload format indicator", PayloadFormatIndicator, inMessage, func(p *Properties) any { return &p.PayloadFormatIndicator }, 0, 1},
	{0x02, "message expiry interval", MessageExpiryInterval, inMessage, func(p *Properties) any { return &p.MessageExpiryInterval }, 0, 0},
	{0x03, "content type", ContentType, inMessage, func(p *Properties) any { return &p.ContentType }, 0, 0},
	{0x08, "response topic", ResponseTopic, inMessage, func(p *Properties) any { return &p.ResponseTopic }, 0, 0},
	{0x09, "correlation data", CorrelationData, inMessage, func(p *Properties) any { return &p.CorrelationData }, 0, 0},
	{0x0B, "subscription identifier", 0, inPublish | inSubscribe, func(p *Properties) any { return &p.SubscriptionIdentifiers }, 1, MaxLength},
	{0x11, "session expiry interval", SessionExpiryInterval, inConnect | inConnack | inDisconnect, func(p *Properties) any { return &p.SessionExpiryInterval }, 0, 0},
	{0x12, "assigned client identifier", AssignedClientIdentifier, inConnack, func(p *Properties) any { return &p.AssignedClientIdentifier }, 0, 0},
	{0x13, "server keep alive", ServerKeepAlive, inConnack, func(p *Properties) any { return &p.ServerKeepAlive }, 0, 0},
	{0x15, "authentication method", AuthenticationMethod, inConnect | inConnack | inAuth, func(p *Properties) any { return &p.AuthenticationMethod }, 0, 0},
	{0x16, "authentication data", AuthenticationData, inConnect | inConnack | inAuth, func(p *Properties) any { return &p.AuthenticationData }, 0, 0},
	{0x17, "request problem information", RequestProblemInformation, inConnect, func(p *Properties) any { return &p.RequestProblemInformation }, 0, 1},
	{0x18, "will delay interval", WillDelayInterval, inWill, func(p *Properties) any { return &p.WillDelayInterval }, 0, 0},
	{0x19, "request response information", RequestResponseInformation, inConnect, func(p *Properties) any { return &p.RequestResponseInformation }, 0, 1},
	{0x1A, "response information", ResponseInformation, inConnack, func(p *Properties) any { return &p.ResponseInformation }, 0, 0},
	{0x1C, "server reference", ServerReference, inConnack | inDisconnect, func(p *Properties) any { return &p.ServerReference }, 0, 0},
	{0x1F, "reason string", ReasonString, inConnack | inAcks | inDisconnect | inAuth, func(p *Properties) any { return &p.ReasonString }, 0, 0},
	{0x21, "receive maximum", ReceiveMaximum, inConnect | inConnack, func(p *Properties) any { return &p.ReceiveMaximum }, 1, 0},
	{0x22, "topic alias maximum", TopicAliasMaximum, inConnect | inConnack, func(p *Properties) any { return &p.TopicAliasMaximum }, 0, 0},
	{0x23, "topic alias", TopicAlias, inPublish, func(p *Properties) any { return &p.TopicAlias }, 1, 0},
	{0x24, "maximum QoS", MaximumQoS, inConnack, func(p *Properties) any { return &p.MaximumQoS }, 0, 1},
	{0x25, "retain available", RetainAvailable, inConnack, func(p *Properties) any { return &p.RetainAvailable }, 0, 1},
	{0x26, "user property", 0, anywhere, func(p *Properties) any { return &p.User }, 0, 0},
	{0x27, "maximum packet size", MaximumPacketSize, inConnect | inConnack, func(p *Properties) any { return &p.MaximumPacketSize }, 1, 0},
	{0x28, "wildcard subscription available", WildcardSubscriptionAvailable, inConnack, func(p *Properties) any { return &p.WildcardSubscriptionAvailable }, 0, 1},
	{0x29, "subscription identifier available", SubscriptionIdentifierAvailable, inConnack, func(p *Properties) any { return &p.SubscriptionIdentifierAvailable }, 0, 1},
	{0x2A, "shared subscription available", SharedSubscriptionAvailable, inConnack, func(p *Properties) any { return &p.SharedSubscriptionAvailable }, 0, 1},
}

// propertyIndex is 1 + the place in propertyTable of an identifier, 0 for those that do not exist.
var propertyIndex = func() (index [0x2B]byte) {
	for i := range propertyTable {
		index[propertyTable[i].id] = byte(i + 1)
	}
	return index
}()

func propertyByID(id uint32) *property {
	if id >= uint32(len(propertyIndex)) || propertyIndex[id] == 0 {
		return nil
	}
	return &propertyTable[propertyIndex[id]-1]
}

// checkIn says whether the property may stand in a packet of type t, or in its will.
func (e *property) checkIn(t Type, in place) *Error {
	if e.in&in != 0 {
		return nil
	}
	if in == inWill {
		return refuse(MalformedPacket, "", "%s: the will cannot carry the property %s", t, e.name)
	}
	return refuse(MalformedPacket, "", "%s cannot carry the property %s", t, e.name)
}

// checkRange checks an integer.
func (e *property) checkRange(t Type, x uint32) *Error {
	switch {
	case e.has == TopicAlias && x == 0:
		return refuse(TopicAliasInvalid, "MQTT-3.3.2-8", "%s: the topic alias is 0; it must be 1 to 65535", t)
	case x < e.min:
		return refuse(ProtocolError, "", "%s: the %s is %d; it must be at least %d", t, e.name, x, e.min)
	case e.max != 0 && x > e.max:
		return refuse(ProtocolError, "", "%s: the %s is %d; it must be at most %d", t, e.name, x, e.max)
	}
	return nil
}

// checkText checks a string beyond what makes it one.
func (e *property) checkText(t Type, s string) *Error {
	if e.has == ResponseTopic {
		return checkTopicName(t, e.name, s, "MQTT-3.3.2-14")
	}
	return nil
}

// checkTogether checks what the standard asks of several properties at once.
func (p *Properties) checkTogether(t Type) *Error {
	switch {
	case p.Has&AuthenticationData != 0 && p.Has&AuthenticationMethod == 0:
		return refuse(ProtocolError, "", "%s: authentication data without an authentication method", t)
	case t == SUBSCRIBE && len(p.SubscriptionIdentifiers) > 1:
		return refuse(ProtocolError, "", "%s: %d subscription identifiers; it may carry one", t, len(p.SubscriptionIdentifiers))
	}
	return nil
}
