package mqtt

import "strings"

// Subscribe asks for the messages of one or more topic filters (MQTT 5.0 §3.8).
type Subscribe struct {
	// PacketID is 1 to 65,535.
	PacketID uint16
	// Filters has at least one entry.
	Filters    []Filter
	Properties *Properties
}

// Filter is one subscription of a SUBSCRIBE. Its options other than QoS are of version 5: 3.x neither writes nor reads them.
type Filter struct {
	// Filter is a topic filter; in version 5 $share/<name>/<filter> is a shared subscription.
	Filter string
	// QoS is the highest QoS of the messages that are wanted: 0, 1 or 2.
	QoS byte
	// NoLocal leaves out what the client published itself; never with a shared subscription.
	NoLocal bool
	// RetainAsPublished keeps the publisher's RETAIN flag.
	RetainAsPublished bool
	// RetainHandling is 0 for retained messages at each subscribe, 1 only at a new subscription, 2 never.
	RetainHandling byte
}

// The subscription options (MQTT 5.0 §3.8.3.1); QoS lies in bits 0 and 1, retain handling in bits 4 and 5.
const (
	optionNoLocal           = 1 << 2
	optionRetainAsPublished = 1 << 3
	optionReservedV5        = 3 << 6
	optionReservedV3        = 0xFF &^ 3
)

// Type is SUBSCRIBE.
func (*Subscribe) Type() Type { return SUBSCRIBE }

// Append appends the packet; see [Packet].
func (p *Subscribe) Append(dst []byte, v Version) ([]byte, error) {
	w := begin(dst, SUBSCRIBE, 2)
	w.fail(p.check())
	w.uint16(p.PacketID)
	if v == V5 {
		w.properties(p.Properties, inSubscribe)
	}
	for i := range p.Filters {
		f := &p.Filters[i]
		w.fail(f.check(v))
		w.string("topic filter", f.Filter)
		options := f.QoS
		if v == V5 {
			options |= f.RetainHandling << 4
			if f.NoLocal {
				options |= optionNoLocal
			}
			if f.RetainAsPublished {
				options |= optionRetainAsPublished
			}
		}
		w.uint8(options)
	}
	return w.end(nil)
}

// Parse resets p and reads the packet from its flags and body; see [Parse].
func (p *Subscribe) Parse(flags byte, body []byte, v Version) error {
	*p = Subscribe{}
	r := reader{b: body, t: SUBSCRIBE}
	r.fail(checkFlags(SUBSCRIBE, flags, v))
	p.PacketID = r.uint16("packet identifier")
	if v == V5 {
		p.Properties = r.properties(inSubscribe)
	}
	p.Filters = make([]Filter, 0, countFilters(r, 1))
	for len(r.b) > 0 && r.err == nil {
		f := Filter{Filter: r.string("topic filter")}
		options := r.uint8("subscription options")
		r.fail(f.setOptions(options, v))
		r.fail(f.check(v))
		p.Filters = append(p.Filters, f)
	}
	r.fail(p.check())
	return r.end()
}

// countFilters counts how many topic filters, each followed by that many bytes of options, r holds up to the first fault,
// so that the list is allocated once and as long as it needs to be.
func countFilters(r reader, options int) (n int) {
	for len(r.b) > 0 && r.err == nil {
		r.bytes("")
		r.take(options, "")
		n++
	}
	return n
}

func (f *Filter) setOptions(options byte, v Version) *Error {
	reserved, statement := byte(optionReservedV5), "MQTT-3.8.3-5"
	if v != V5 {
		reserved, statement = optionReservedV3, "MQTT-3-8.3-4 of 3.1.1"
	}
	if options&reserved != 0 {
		return refuse(MalformedPacket, statement, "SUBSCRIBE: reserved bits are set in the options %08b of the topic filter %q", options, clip(f.Filter))
	}
	f.QoS = options & 3
	f.NoLocal = options&optionNoLocal != 0
	f.RetainAsPublished = options&optionRetainAsPublished != 0
	f.RetainHandling = options >> 4 & 3
	return nil
}

// check checks what the fields may hold; their form is checked by reader and writer.
func (f *Filter) check(v Version) *Error {
	switch {
	case f.QoS > 2 && v == V5:
		return refuse(ProtocolError, "", "SUBSCRIBE: QoS %d for the topic filter %q; it must be 0, 1 or 2", f.QoS, clip(f.Filter))
	case f.QoS > 2:
		return refuse(MalformedPacket, "MQTT-3-8.3-4 of 3.1.1", "SUBSCRIBE: QoS %d for the topic filter %q; it must be 0, 1 or 2", f.QoS, clip(f.Filter))
	case f.RetainHandling > 2:
		return refuse(ProtocolError, "", "SUBSCRIBE: retain handling %d for the topic filter %q; it must be 0, 1 or 2", f.RetainHandling, clip(f.Filter))
	case f.NoLocal && v == V5 && strings.HasPrefix(f.Filter, sharePrefix):
		return refuse(ProtocolError, "MQTT-3.8.3-4", "SUBSCRIBE: no local for the shared subscription %q", clip(f.Filter))
	}
	return checkTopicFilter(SUBSCRIBE, f.Filter, v)
}

func (p *Subscribe) check() *Error {
	switch {
	case p.PacketID == 0:
		return refuse(ProtocolError, "MQTT-2.2.1-3", "SUBSCRIBE: the packet identifier is 0; it must be 1 to 65535")
	case len(p.Filters) == 0:
		return refuse(ProtocolError, "MQTT-3.8.3-2", "SUBSCRIBE: no topic filter; it must have at least one")
	}
	return nil
}
