package mqtt

import (
	"bytes"
	"math/bits"
	"reflect"
	"testing"
)

func TestPropertyTableIsWhole(t *testing.T) {
	if len(propertyTable) != 27 {
		t.Fatalf("%d properties; the standard has 27", len(propertyTable))
	}
	var all PropertySet
	fields := map[any]string{}
	var p Properties
	last := byte(0)
	for i := range propertyTable {
		e := &propertyTable[i]
		if e.id <= last {
			t.Errorf("%s: identifier 0x%02X is not above the one before", e.name, e.id)
		}
		last = e.id
		if propertyByID(uint32(e.id)) != e {
			t.Errorf("%s is not found by its identifier", e.name)
		}
		if all&e.has != 0 || bits.OnesCount32(uint32(e.has)) > 1 {
			t.Errorf("%s: its bit belongs to another one too", e.name)
		}
		all |= e.has
		field := e.field(&p)
		if other, taken := fields[field]; taken {
			t.Errorf("%s has the field of %s", e.name, other)
		}
		fields[field] = e.name
	}
	if want := SharedSubscriptionAvailable<<1 - 1; all != want {
		t.Errorf("bits %b, want %b", all, want)
	}
	if n := reflect.TypeFor[Properties]().NumField(); len(fields) != n-1 {
		t.Errorf("%d fields are in the table; the struct has %d besides Has", len(fields), n-1)
	}
}

// places are MQTT 5.0 §2.2.2.2, table 2-4, written once more and from the other side: the properties of each packet.
var places = map[place][]byte{
	inWill:        {0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26},
	inConnect:     {0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27},
	inConnack:     {0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A},
	inPublish:     {0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26},
	inPuback:      {0x1F, 0x26},
	inPubrec:      {0x1F, 0x26},
	inPubrel:      {0x1F, 0x26},
	inPubcomp:     {0x1F, 0x26},
	inSubscribe:   {0x0B, 0x26},
	inSuback:      {0x1F, 0x26},
	inUnsubscribe: {0x26},
	inUnsuback:    {0x1F, 0x26},
	inDisconnect:  {0x11, 0x1C, 0x1F, 0x26},
	inAuth:        {0x15, 0x16, 0x1F, 0x26},
}

// sample gives e a value in p and returns the value's bytes: 1 for integers, "t" for strings.
func sample(e *property, p *Properties) []byte {
	p.Has |= e.has
	switch f := e.field(p).(type) {
	case *byte:
		*f = 1
		return []byte{1}
	case *uint16:
		*f = 1
		return []byte{0, 1}
	case *uint32:
		*f = 1
		return []byte{0, 0, 0, 1}
	case *string:
		*f = "t"
		return []byte{0, 1, 't'}
	case *[]byte:
		*f = []byte{0xFF}
		return []byte{0, 1, 0xFF}
	case *[]uint32:
		*f = []uint32{1}
		return []byte{1}
	case *[]UserProperty:
		*f = []UserProperty{{"n", "v"}}
		return []byte{0, 1, 'n', 0, 1, 'v'}
	}
	return nil
}

func TestEachPropertyInEachPlace(t *testing.T) {
	for in, ids := range places {
		for i := range propertyTable {
			e := &propertyTable[i]
			var p Properties
			want := append([]byte{e.id}, sample(e, &p)...)
			if e.has == AuthenticationData { // never without the method
				p.Has |= AuthenticationMethod
				want = append([]byte{0x15, 0, 0}, want...)
			}
			want = append([]byte{byte(len(want))}, want...)
			allowed := bytes.IndexByte(ids, e.id) >= 0

			w := writer{t: CONNECT}
			w.properties(&p, in)
			if allowed && (w.err != nil || !bytes.Equal(w.b, want)) {
				t.Errorf("%s at %b: written as % X, %v; want % X", e.name, in, w.b, w.err, want)
			}
			r := reader{b: want, t: CONNECT}
			got := r.properties(in)
			if allowed && (r.end() != nil || !reflect.DeepEqual(got, &p)) {
				t.Errorf("%s at %b: read as %+v, %v; want %+v", e.name, in, got, r.err, p)
			}
			if !allowed {
				if w.err == nil {
					t.Errorf("%s at %b: written, but it may not stand there", e.name, in)
				} else {
					wantError(t, w.err, MalformedPacket, "")
				}
				wantError(t, r.end(), MalformedPacket, "")
			}
		}
	}
}

func TestEachPropertyTwice(t *testing.T) {
	for i := range propertyTable {
		e := &propertyTable[i]
		var p Properties
		one := append([]byte{e.id}, sample(e, &p)...)
		b := append(append([]byte{byte(2 * len(one))}, one...), one...)
		r := reader{b: b, t: PUBLISH}
		r.properties(e.in)
		if e.has == 0 {
			if r.err != nil {
				t.Errorf("%s may be repeated: %v", e.name, r.err)
			}
			continue
		}
		wantError(t, r.end(), ProtocolError, "")
	}
}

func TestEachPropertyCut(t *testing.T) {
	for i := range propertyTable {
		e := &propertyTable[i]
		var p Properties
		one := append([]byte{e.id}, sample(e, &p)...)
		for n := 1; n < len(one); n++ {
			r := reader{b: append([]byte{byte(n)}, one[:n]...), t: PUBLISH}
			r.properties(e.in)
			wantError(t, r.end(), MalformedPacket, "")
		}
	}
}

func TestPropertyRanges(t *testing.T) {
	for i := range propertyTable {
		e := &propertyTable[i]
		if e.min > 0 {
			if e.checkRange(CONNECT, e.min-1) == nil {
				t.Errorf("%s: %d was accepted", e.name, e.min-1)
			}
		}
		if e.max > 0 && e.checkRange(CONNECT, e.max+1) == nil {
			t.Errorf("%s: %d was accepted", e.name, e.max+1)
		}
		if e.checkRange(CONNECT, e.min) != nil || e.max > 0 && e.checkRange(CONNECT, e.max) != nil {
			t.Errorf("%s: a bound of its range was refused", e.name)
		}
	}
	// The standard's bounds, one by one: those that are 0 or 1, and those that are not 0.
	for _, e := range []byte{0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A} {
		if propertyByID(uint32(e)).max != 1 {
			t.Errorf("0x%02X is 0 or 1", e)
		}
	}
	for _, e := range []byte{0x0B, 0x21, 0x23, 0x27} {
		if propertyByID(uint32(e)).min != 1 {
			t.Errorf("0x%02X is not 0", e)
		}
	}
}

func TestNilAndEmptyPropertiesAreTheSame(t *testing.T) {
	for _, p := range []*Properties{nil, {}, {ContentType: "not in Has"}, {User: []UserProperty{}}} {
		w := writer{t: PUBLISH}
		w.properties(p, inPublish)
		if w.err != nil || !bytes.Equal(w.b, []byte{0}) {
			t.Errorf("%+v: % X, %v", p, w.b, w.err)
		}
	}
}

func TestPropertyListsAreAllocatedOnce(t *testing.T) {
	var b []byte
	for i := range 100 { // mixed, so that counting must look behind other properties
		b = append(b, 0x26, 0, 0, 0, 1, byte('a'+i%26), 0x0B, 1)
	}
	b = append(b, 0x01, 1, 0x02, 0, 0, 0, 9, 0x23, 0, 1, 0x09, 0, 0)
	b = append(appendVarint(nil, uint32(len(b))), b...)
	r := reader{b: b, t: PUBLISH}
	p := r.properties(inPublish)
	if r.end() != nil || len(p.User) != 100 || cap(p.User) != 100 || len(p.SubscriptionIdentifiers) != 100 || cap(p.SubscriptionIdentifiers) != 100 {
		t.Errorf("%v: %d of %d, %d of %d", r.err, len(p.User), cap(p.User), len(p.SubscriptionIdentifiers), cap(p.SubscriptionIdentifiers))
	}
}

func TestLongPropertyListMovesUp(t *testing.T) {
	for _, n := range []int{120, 121, 122, 123, 16_370, 16_380, 16_390} {
		p := &Properties{Has: CorrelationData | TopicAlias, CorrelationData: bytes.Repeat([]byte{'c'}, n), TopicAlias: 5}
		b, err := (&Publish{Topic: "t", Properties: p, Payload: []byte("payload")}).Append(nil, V5)
		if err != nil {
			t.Fatal(err)
		}
		q, err := parseWhole(b, V5)
		if err != nil || !reflect.DeepEqual(q.(*Publish).Properties, p) || string(q.(*Publish).Payload) != "payload" {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
