package mqtt

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// draw makes any valid packet of a type in a version, as Parse would return it.
func draw(t *rapid.T, typ Type, v Version) Packet {
	id := rapid.Uint16Range(1, 65535).Draw(t, "packet identifier")
	flag := func(what string) bool { return rapid.Bool().Draw(t, what) }
	code := func() ReasonCode {
		if v != V5 && typ != SUBACK {
			return Success
		}
		return ReasonCode(rapid.SampledFrom(reasons[typ]).Draw(t, "reason code"))
	}
	switch typ {
	case CONNECT:
		p := &Connect{Version: v, CleanStart: flag("clean"), KeepAlive: id, ClientID: drawString(t), Properties: drawProperties(t, inConnect, v)}
		p.CleanStart = p.CleanStart || p.ClientID == ""
		if flag("will") {
			p.Will = &Will{Topic: drawTopic(t), Payload: drawBytes(t), QoS: rapid.ByteRange(0, 2).Draw(t, "QoS"), Retain: flag("retain"), Properties: drawProperties(t, inWill, v)}
		}
		if p.HasUsername = flag("user name"); p.HasUsername {
			p.Username = drawString(t)
		}
		if p.HasPassword = (p.HasUsername || v == V5) && flag("password"); p.HasPassword {
			p.Password = drawBytes(t)
		}
		return p
	case CONNACK:
		p := &Connack{Code: code(), Properties: drawProperties(t, inConnack, v)}
		if v != V5 {
			p.Code = rapid.SampledFrom(reasonOfReturnCode[:]).Draw(t, "return code")
		}
		p.SessionPresent = p.Code == Success && v != V31 && flag("session present")
		return p
	case PUBLISH:
		p := &Publish{QoS: rapid.ByteRange(0, 2).Draw(t, "QoS"), Retain: flag("retain"), Topic: drawTopic(t), Properties: drawProperties(t, inPublish, v), Payload: drawBytes(t)}
		if p.QoS > 0 {
			p.Dup, p.PacketID = flag("DUP"), id
		}
		if p.Properties != nil && p.Properties.Has&TopicAlias != 0 && flag("alias alone") {
			p.Topic = ""
		}
		return p
	case PUBACK:
		return &Puback{id, code(), drawProperties(t, inPuback, v)}
	case PUBREC:
		return &Pubrec{id, code(), drawProperties(t, inPubrec, v)}
	case PUBREL:
		return &Pubrel{id, code(), drawProperties(t, inPubrel, v)}
	case PUBCOMP:
		return &Pubcomp{id, code(), drawProperties(t, inPubcomp, v)}
	case SUBSCRIBE:
		p := &Subscribe{PacketID: id, Properties: drawProperties(t, inSubscribe, v)}
		for range rapid.IntRange(1, 4).Draw(t, "filters") {
			f := Filter{Filter: drawFilter(t), QoS: rapid.ByteRange(0, 2).Draw(t, "QoS")}
			if v == V5 {
				f.NoLocal, f.RetainAsPublished, f.RetainHandling = flag("no local"), flag("retain as published"), rapid.ByteRange(0, 2).Draw(t, "retain handling")
			}
			p.Filters = append(p.Filters, f)
		}
		return p
	case SUBACK:
		p := &Suback{PacketID: id, Properties: drawProperties(t, inSuback, v)}
		for range rapid.IntRange(1, 4).Draw(t, "codes") {
			c := code()
			if v != V5 && c.Failed() {
				c = UnspecifiedError
			}
			p.Codes = append(p.Codes, c)
		}
		return p
	case UNSUBSCRIBE:
		p := &Unsubscribe{PacketID: id, Properties: drawProperties(t, inUnsubscribe, v)}
		for range rapid.IntRange(1, 4).Draw(t, "filters") {
			p.Filters = append(p.Filters, drawFilter(t))
		}
		return p
	case UNSUBACK:
		p := &Unsuback{PacketID: id, Properties: drawProperties(t, inUnsuback, v)}
		for range rapid.IntRange(1, 4).Draw(t, "codes") {
			if v == V5 {
				p.Codes = append(p.Codes, code())
			}
		}
		return p
	case PINGREQ:
		return &Pingreq{}
	case PINGRESP:
		return &Pingresp{}
	case DISCONNECT:
		return &Disconnect{code(), drawProperties(t, inDisconnect, v)}
	default:
		p := &Auth{code(), drawProperties(t, inAuth, v)}
		if p.Code != Success {
			if p.Properties == nil {
				p.Properties = &Properties{}
			}
			p.Properties.Has |= AuthenticationMethod
		}
		return p
	}
}

func drawString(t *rapid.T) string {
	return rapid.StringMatching(`[\x01-\x{D7FF}\x{E000}-\x{10FFFF}]{0,12}`).Draw(t, "string")
}
func drawTopic(t *rapid.T) string {
	return rapid.StringMatching(`[a-c/$é\x{1F600} ]{1,12}`).Draw(t, "topic")
}
func drawFilter(t *rapid.T) string {
	return rapid.StringMatching(`((/|\+|[a-c$é]{1,3})(/(\+|[a-c$é]{0,3})){0,3}(/#)?)|#`).Draw(t, "filter")
}
func drawBytes(t *rapid.T) []byte {
	n := rapid.SampledFrom([]int{0, 1, 7, 100, 130, 20_000}).Draw(t, "length")
	return bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, n)
}

// drawProperties draws any properties that may stand there, or nil.
func drawProperties(t *rapid.T, in place, v Version) *Properties {
	if v != V5 || rapid.Bool().Draw(t, "no properties") {
		return nil
	}
	p := new(Properties)
	for i := range propertyTable {
		e := &propertyTable[i]
		if e.in&in == 0 || !rapid.Bool().Draw(t, e.name) {
			continue
		}
		if e.has == AuthenticationData && p.Has&AuthenticationMethod == 0 {
			continue
		}
		p.Has |= e.has
		integer := func(most uint32) uint32 {
			if e.max != 0 {
				most = e.max
			}
			return rapid.Uint32Range(e.min, most).Draw(t, e.name)
		}
		switch f := e.field(p).(type) {
		case *byte:
			*f = byte(integer(255))
		case *uint16:
			*f = uint16(integer(65_535))
		case *uint32:
			*f = integer(1<<32 - 1)
		case *string:
			*f = drawTopic(t)
		case *[]byte:
			*f = drawBytes(t)
		case *[]uint32:
			n := 1
			if in == inPublish {
				n = rapid.IntRange(1, 4).Draw(t, "how many")
			}
			for range n {
				*f = append(*f, integer(0))
			}
		case *[]UserProperty:
			for range rapid.IntRange(1, 4).Draw(t, "how many") {
				*f = append(*f, UserProperty{drawString(t), drawString(t)})
			}
		}
	}
	if p.empty() {
		return nil
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	for _, v := range versions {
		for typ := CONNECT; typ <= AUTH; typ++ {
			if typ == AUTH && v != V5 {
				continue
			}
			t.Run(v.String()+" "+typ.String(), func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					p := draw(t, typ, v)
					b, err := p.Append(nil, v)
					if err != nil {
						t.Fatalf("append %+v: %v", p, err)
					}
					q, err := parseWhole(b, v)
					if err != nil {
						t.Fatalf("parse % X of %+v: %v", b, p, err)
					}
					if !reflect.DeepEqual(p, q) {
						t.Fatalf("\n got %+v\nwant %+v", q, p)
					}
					prefixes(t, b, v)
				})
			})
		}
	}
}

// prefixes checks that every part of a packet from its beginning says that more is needed, and that nothing reads
// beyond the body it was given.
func prefixes(t *rapid.T, b []byte, v Version) {
	step := 1 + len(b)/200 // long payloads are alike
	for l := 0; l < len(b); l += step {
		h, n, err := ParseHeader(b[:l:l])
		if err != nil || n > 0 && h.Length <= l-n {
			t.Fatalf("%d of %d bytes: %+v, %d, %v", l, len(b), h, n, err)
		}
		if n > 0 {
			// A shorter body is an error or another packet, but never a panic.
			if p, err := Parse(h, b[n:l:l], v); err == nil && p == nil {
				t.Fatal("neither a packet nor an error")
			}
		}
	}
}
