package buffer

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/edged/edged"
	"pgregory.net/rapid"
)

func sampleMessages() []edged.Message {
	return []edged.Message{
		{},
		{Topic: "a/b", Payload: []byte("x"), QoS: 2, Retain: true, From: "client", Time: time.Unix(1700000000, 123)},
		{Topic: "t", Time: time.Unix(-5, 0), Props: &edged.Properties{}},
		{Topic: "t", Payload: make([]byte, 5000), Props: &edged.Properties{
			HasPayloadFormat: true, PayloadFormat: 1, HasExpiry: true, Expiry: math.MaxUint32, HasContentType: true, ContentType: "text", ResponseTopic: "r",
			CorrelationData: []byte{0, 1}, User: []edged.UserProperty{{Name: "a", Value: "b"}, {Name: "a", Value: ""}},
		}},
		{Topic: "t", Props: &edged.Properties{CorrelationData: []byte{}, HasPayloadFormat: true}},
		{Topic: "t", Props: &edged.Properties{HasContentType: true}},
	}
}

func TestEntriesRoundTrip(t *testing.T) {
	var b []byte
	ids := [][]uint32{nil, {1}, nil, {1, 268435455}, nil, nil}
	for i, m := range sampleMessages() {
		b = appendEntry(b, &m, ids[i])
	}
	got, err := parseEntries(b, 10, len(ids))
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for i, m := range sampleMessages() {
		e := got[i]
		size += int(e.size)
		if len(m.Payload) == 0 {
			m.Payload, e.msg.Payload = nil, nil // they mean the same
		}
		if !e.msg.Time.Equal(m.Time) {
			t.Errorf("message %d: time %v, want %v", i, e.msg.Time, m.Time)
		}
		e.msg.Time = m.Time
		if e.seq != uint64(10+i) || !reflect.DeepEqual(e.msg, m) || !reflect.DeepEqual(e.ids, ids[i]) {
			t.Errorf("message %d: %+v, want %+v", i, e, m)
		}
	}
	if size != len(b) {
		t.Errorf("the sizes add up to %d, want %d", size, len(b))
	}
	for n := range len(b) {
		if _, err := parseEntries(b[:n], 10, len(ids)); err == nil {
			t.Fatalf("%d bytes of %d are read without an error", n, len(b))
		}
	}
	if _, err := parseEntries(append(b, 0), 10, len(ids)); err == nil {
		t.Error("a byte too many is read without an error")
	}
}

func FuzzParseEntries(f *testing.F) {
	for _, m := range sampleMessages() {
		f.Add(appendEntry(nil, &m, []uint32{1, 2}), 1)
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, 1<<30)
	f.Fuzz(func(t *testing.T, b []byte, count int) {
		if count < 0 {
			return
		}
		entries, err := parseEntries(b, 1, count)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range entries {
			again = appendEntry(again, &e.msg, e.ids)
		}
		back, err := parseEntries(again, 1, count)
		if err != nil || len(back) != count {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

func TestStateRoundTrips(t *testing.T) {
	for _, s := range []state{
		{cursor: 1, high: 1, next: 1},
		{cursor: 5, high: 100, next: math.MaxUint64, resent: 9, messages: 1, bytes: 2, appended: 3, acked: 4, lost: 5, lostBytes: 6, gone: ranges{{7, 8}, {10, 90}}, received: ranges{{5, 6}, {9, 10}}},
	} {
		b := s.append(nil)
		got, err := parseState(b)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("%+v, %v; want %+v", got, err, s)
		}
		for n := range len(b) {
			if _, err := parseState(b[:n]); err == nil {
				t.Fatalf("%d bytes of %d are read without an error", n, len(b))
			}
		}
	}
}

func FuzzParseState(f *testing.F) {
	s := state{cursor: 5, high: 100, next: 1000, gone: ranges{{7, 8}, {10, 90}}, received: ranges{{5, 6}}}
	f.Add(s.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseState(b)
		if err != nil {
			return
		}
		if back, err := parseState(s.append(nil)); err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("%+v, %v; want %+v", back, err, s)
		}
	})
}

func TestSegmentKeysRoundTripAndSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func() segment {
			return segment{
				queue: rapid.Uint32().Draw(t, "queue"), first: rapid.Uint64().Draw(t, "first"),
				count: rapid.Uint16Range(1, math.MaxUint16).Draw(t, "count"), bytes: rapid.Uint32().Draw(t, "bytes"),
				firstTime: rapid.Int64Range(0, 1<<48-1).Draw(t, "first time"), lastTime: rapid.Int64Range(0, 1<<48-1).Draw(t, "last time"),
			}
		}
		a, b := draw(), draw()
		if got, part, ok := parseSegmentKey(a.key(3)); !ok || part != 3 || got != a {
			t.Fatalf("%+v, %d, %v; want %+v", got, part, ok, a)
		}
		if a.queue == b.queue && a.first != b.first && (a.first < b.first) != (bytes.Compare(a.key(9), b.key(0)) < 0) {
			t.Fatalf("%+v and %+v sort wrongly", a, b)
		}
	})
	for _, k := range [][]byte{nil, {keySegment}, make([]byte, segmentKeySize), (segment{}).key(0)} {
		if _, _, ok := parseSegmentKey(k); ok {
			t.Errorf("%x is taken for a key", k)
		}
	}
}

func TestMetaRoundTrips(t *testing.T) {
	m := meta{1, 2, 1 << 40, 1}
	c := m.change()
	body, err := unseal(c.key, c.value)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseMeta(body); err != nil || got != m {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := unseal([]byte("other"), c.value); err == nil {
		t.Error("a value under another key passes")
	}
	c.value[5] ^= 1
	if _, err := unseal(c.key, c.value); err == nil {
		t.Error("a flipped bit passes")
	}
}

func TestRangesAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ranges
		set := map[uint64]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				from, n := rapid.Uint64Range(0, 60).Draw(t, "from"), rapid.Uint64Range(0, 9).Draw(t, "n")
				r.add(from, from+n)
				for x := from; x < from+n; x++ {
					set[x] = true
				}
			},
			"trim": func(t *rapid.T) {
				below := rapid.Uint64Range(0, 20).Draw(t, "below")
				r.trim(below)
				for x := range below {
					delete(set, x)
				}
			},
			"": func(t *rapid.T) {
				for i := range r {
					if r[i].from >= r[i].to || i > 0 && r[i-1].to >= r[i].from {
						t.Fatalf("spans are not in order: %v", r)
					}
				}
				next := uint64(75)
				for x := int64(74); x >= 0; x-- {
					x := uint64(x)
					if !set[x] {
						next = x
					}
					if r.contains(x) != set[x] || r.skip(x) != next || (r.count(x, x+1) == 1) != set[x] {
						t.Fatalf("%d in %v: %v, skip %d, count %d; want %v, %d", x, r, r.contains(x), r.skip(x), r.count(x, x+1), set[x], next)
					}
				}
				if r.count(0, 100) != uint64(len(set)) {
					t.Fatalf("%v has %d, want %d", r, r.count(0, 100), len(set))
				}
			},
		})
	})
}
