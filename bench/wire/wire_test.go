package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The bytes were written by hand from the standard, not by the code under test.
func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"CONNECT clean":      {AppendConnect(nil, "ab", true), "100e 0004 4d515454 04 02 0000 0002 6162"},
		"CONNECT persistent": {AppendConnect(nil, "ab", false), "100e 0004 4d515454 04 00 0000 0002 6162"},
		"SUBSCRIBE":          {AppendSubscribe(nil, 7, 1, "a/+", "b"), "820c 0007 0003 612f2b 01 0001 62 01"},
		"PUBLISH QoS 0":      {AppendPublish(nil, "a", []byte("xy"), 0, false, 9), "3005 0001 61 7879"},
		"PUBLISH QoS 2":      {AppendPublish(nil, "a", []byte("xy"), 2, true, 9), "3507 0001 61 0009 7879"},
		"PUBACK":             {AppendAck(nil, PUBACK, 258), "4002 0102"},
		"PUBREL":             {AppendAck(nil, PUBREL, 258), "6202 0102"},
		"DISCONNECT":         {AppendDisconnect(nil), "e000"},
	} {
		if got := hex.EncodeToString(c.got); got != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestNextCutsAStreamAnywhere(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 20_000) // a remaining length of three bytes
	stream := AppendPublish(nil, "a/b", []byte("one"), 0, false, 0)
	stream = AppendPublish(stream, "a/b", long, 1, false, 5)
	stream = AppendAck(stream, PUBREL, 6)

	var got []Packet
	rest := stream
	for have := 0; have <= len(rest); {
		p, n, err := Next(rest[:have])
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			have++
			continue
		}
		if n != have {
			t.Fatalf("a packet of %d bytes was cut off when %d were there", n, have)
		}
		got, rest, have = append(got, p), rest[n:], 0
		if len(rest) == 0 {
			break
		}
	}
	if len(got) != 3 || len(rest) != 0 {
		t.Fatalf("%d packets, %d bytes left; want 3 and 0", len(got), len(rest))
	}
	first, err := got[0].Publish()
	if err != nil || string(first.Topic) != "a/b" || string(first.Payload) != "one" || first.QoS != 0 || first.ID != 0 {
		t.Errorf("first: %+v, %v", first, err)
	}
	second, err := got[1].Publish()
	if err != nil || second.QoS != 1 || second.ID != 5 || !bytes.Equal(second.Payload, long) {
		t.Errorf("second: QoS %d, id %d, %d bytes, %v", second.QoS, second.ID, len(second.Payload), err)
	}
	if got[2].Type != PUBREL || got[2].ID() != 6 {
		t.Errorf("third: %+v", got[2])
	}
}

func TestMalformed(t *testing.T) {
	if _, _, err := Next([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01}); !errors.Is(err, ErrMalformed) {
		t.Errorf("a remaining length of five bytes: %v", err)
	}
	for name, p := range map[string]Packet{
		"no topic":          {Type: PUBLISH},
		"topic too long":    {Type: PUBLISH, Body: []byte{0, 3, 'a', 'b'}},
		"no identifier":     {Type: PUBLISH, Flags: 2, Body: []byte{0, 1, 'a', 0}},
		"both bits of QoS":  {Type: PUBLISH, Flags: 6, Body: []byte{0, 1, 'a', 0, 1}},
		"half a topic size": {Type: PUBLISH, Body: []byte{0}},
	} {
		if _, err := p.Publish(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add(AppendPublish(nil, "a/b", []byte("x"), 1, true, 3))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, n, err := Next(b)
		if n > len(b) || (err != nil && n != 0) {
			t.Fatalf("%d of %d bytes taken, %v", n, len(b), err)
		}
		if n == 0 || p.Type != PUBLISH {
			return
		}
		m, err := p.Publish()
		if err != nil || n > 100 {
			return
		}
		again, _, err := Next(AppendPublish(nil, string(m.Topic), m.Payload, m.QoS, m.Retain, m.ID))
		if err != nil {
			t.Fatal(err)
		}
		if m2, err := again.Publish(); err != nil || !bytes.Equal(m2.Topic, m.Topic) || !bytes.Equal(m2.Payload, m.Payload) || m2.ID != m.ID {
			t.Fatalf("%+v became %+v, %v", m, m2, err)
		}
	})
}
