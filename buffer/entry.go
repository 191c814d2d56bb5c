package buffer

import (
	"encoding/binary"
	"time"

	"github.com/edged/edged"
)

// entry is a message in a queue.
type entry struct {
	seq  uint64
	msg  edged.Message
	ids  []uint32 // subscription identifiers
	size uint32   // bytes as stored
}

// Bits of an entry's first byte; the lowest two are the QoS.
const (
	entryRetain = 1 << (2 + iota)
	entryTime
	entryProps
	entryIDs
)

// Bits of the properties' first byte.
const (
	propsExpiry = 1 << iota
	propsCorrelation
	propsFormat
	propsContentType
)

// appendEntry appends a message as segments hold it: its length, then
//
//	flags | time | topic | from | identifiers | properties | payload
//
// where numbers are varints, strings have their length in front, and the payload is the rest.
func appendEntry(b []byte, m *edged.Message, ids []uint32) []byte {
	var head [256]byte
	h := head[:0]
	flags := byte(m.QoS) & 3
	if m.Retain {
		flags |= entryRetain
	}
	if !m.Time.IsZero() {
		flags |= entryTime
	}
	if m.Props != nil {
		flags |= entryProps
	}
	if len(ids) > 0 {
		flags |= entryIDs
	}
	h = append(h, flags)
	if flags&entryTime != 0 {
		h = binary.AppendVarint(h, m.Time.UnixNano())
	}
	h = appendString(h, m.Topic)
	h = appendString(h, m.From)
	if flags&entryIDs != 0 {
		h = binary.AppendUvarint(h, uint64(len(ids)))
		for _, id := range ids {
			h = binary.AppendUvarint(h, uint64(id))
		}
	}
	if m.Props != nil {
		h = appendProps(h, m.Props)
	}
	b = binary.AppendUvarint(b, uint64(len(h)+len(m.Payload)))
	b = append(b, h...)
	return append(b, m.Payload...)
}

func appendProps(h []byte, p *edged.Properties) []byte {
	var flags byte
	if p.HasExpiry {
		flags |= propsExpiry
	}
	if p.CorrelationData != nil {
		flags |= propsCorrelation
	}
	if p.HasPayloadFormat {
		flags |= propsFormat
	}
	if p.HasContentType {
		flags |= propsContentType
	}
	h = append(h, flags, p.PayloadFormat)
	if p.HasExpiry {
		h = binary.AppendUvarint(h, uint64(p.Expiry))
	}
	h = appendString(h, p.ContentType)
	h = appendString(h, p.ResponseTopic)
	if p.CorrelationData != nil {
		h = appendString(h, p.CorrelationData)
	}
	h = binary.AppendUvarint(h, uint64(len(p.User)))
	for _, u := range p.User {
		h = appendString(h, u.Name)
		h = appendString(h, u.Value)
	}
	return h
}

func appendString[T ~string | ~[]byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// parseEntries reads count entries, the first with the sequence number first; nothing may follow them. Payloads alias b.
func parseEntries(b []byte, first uint64, count int) ([]entry, error) {
	if count > len(b)/4 { // an entry has at least a length, flags, topic and from
		return nil, errDamaged
	}
	out := make([]entry, 0, count)
	for i := range count {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, errDamaged
		}
		size := used + int(n)
		e, ok := parseEntry(b[used:size:size])
		if !ok {
			return nil, errDamaged
		}
		e.seq, e.size = first+uint64(i), uint32(size)
		out, b = append(out, e), b[size:]
	}
	if len(b) != 0 {
		return nil, errDamaged
	}
	return out, nil
}

func parseEntry(b []byte) (entry, bool) {
	r := reader{b: b}
	flags := r.byte()
	e := entry{msg: edged.Message{QoS: edged.QoS(flags & 3), Retain: flags&entryRetain != 0}}
	if flags&entryTime != 0 {
		e.msg.Time = time.Unix(0, r.varint())
	}
	e.msg.Topic = string(r.bytes())
	e.msg.From = string(r.bytes())
	if flags&entryIDs != 0 {
		for n := r.count(1); n > 0; n-- {
			e.ids = append(e.ids, uint32(r.uvarint()))
		}
	}
	if flags&entryProps != 0 {
		e.msg.Props = r.props()
	}
	e.msg.Payload = r.b
	return e, !r.bad
}

func (r *reader) props() *edged.Properties {
	flags := r.byte()
	p := &edged.Properties{
		HasPayloadFormat: flags&propsFormat != 0, PayloadFormat: r.byte(),
		HasExpiry: flags&propsExpiry != 0, HasContentType: flags&propsContentType != 0,
	}
	if p.HasExpiry {
		p.Expiry = uint32(r.uvarint())
	}
	p.ContentType = string(r.bytes())
	p.ResponseTopic = string(r.bytes())
	if flags&propsCorrelation != 0 {
		p.CorrelationData = r.bytes()
	}
	for n := r.count(2); n > 0; n-- {
		p.User = append(p.User, edged.UserProperty{Name: string(r.bytes()), Value: string(r.bytes())})
	}
	return p
}
