package paho

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	pahoclient "github.com/eclipse/paho.mqtt.golang/packets"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/edged/edged/bridge"
	"github.com/edged/edged/codec/mqtt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// FuzzHeader: what the guard takes for a header is what the codec takes for it.
func FuzzHeader(f *testing.F) {
	for _, b := range [][]byte{{}, {0x30}, {0x30, 0}, {0x30, 0x80}, {0x30, 0x80, 0}, {0x30, 0xFF, 0xFF, 0xFF, 0x7F}, {0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := parseHeader(b)
		if err == nil && n > 0 && !bytes.Equal(appendLength([]byte{b[0]}, h.length), b[:n]) {
			t.Errorf("% x is read as length %d", b[:n], h.length)
		}
		want, wantN, wantErr := mqtt.ParseHeader(b)
		if wantErr == nil && (err != nil || n != wantN || n > 0 && h.length != want.Length) {
			t.Errorf("% x: %d, %d, %v; the codec says %d, %d", b, h.length, n, err, want.Length, wantN)
		}
	})
}

// TestPromotion: a PUBLISH of paho's comes out at the level asked for, and the same otherwise.
func TestPromotion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pahoclient.NewControlPacket(pahoclient.Publish).(*pahoclient.PublishPacket)
		p.TopicName = rapid.StringMatching(`[a-zé/]{1,200}`).Draw(t, "topic")
		p.Payload = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
		p.Retain = rapid.Bool().Draw(t, "retain")
		want := promotion{qos: rapid.ByteRange(0, 2).Draw(t, "qos")}
		if want.qos > 0 {
			want.id, want.dup = rapid.Uint16Range(1, 65535).Draw(t, "id"), rapid.Bool().Draw(t, "dup")
		}
		var raw bytes.Buffer
		if err := p.Write(&raw); err != nil {
			t.Fatal(err)
		}
		h, n, err := parseHeader(raw.Bytes())
		if err != nil || n+h.length != raw.Len() {
			t.Fatal("paho wrote", n, h.length, err)
		}
		out := want.append(nil, h, raw.Bytes()[n:])
		head, n, err := mqtt.ParseHeader(out)
		if err != nil || n+head.Length != len(out) {
			t.Fatalf("% x: %v", out, err)
		}
		got := &mqtt.Publish{}
		if err := got.Parse(head.Flags, out[n:], mqtt.V311); err != nil {
			t.Fatal(err)
		}
		if got.Topic != p.TopicName || !bytes.Equal(got.Payload, p.Payload) || got.Retain != p.Retain || got.QoS != want.qos || got.Dup != want.dup || got.PacketID != want.id {
			t.Fatalf("got %+v, want %+v of %v", got, want, p)
		}
	})
}

// FuzzServer: whatever a server sends, the guard passes on to paho only what paho can read, and ends otherwise.
func FuzzServer(f *testing.F) {
	for _, b := range [][]byte{
		{0x20, 2, 0, 0, 0xD0, 0}, {0x40, 2, 0, 5}, {0x50, 2, 0, 6, 0x70, 2, 0, 6}, {0x30, 4, 0, 1, 'a', 'x'}, {0x32, 5, 0, 1, 'a', 0, 1},
		{0x34, 5, 0, 1, 'a', 0, 1, 0x62, 2, 0, 1}, {0x90, 3, 0xFA, 1, 0}, {0x30, 0xFF, 0xFF, 0x7F}, {0x36, 0},
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &handler{}
		t1 := newIDs(200)
		for seq, p := range map[uint64]phase{4: awaitPuback, 5: awaitPubrec, 6: awaitPubcomp} {
			if _, err := t1.begin(seq, p); err != nil {
				t.Fatal(err)
			}
		}
		near, far := net.Pipe()
		g := newGuard(near, t1, bridge.Dial{AckTimeout: time.Minute, PacketBytes: 4096, Handler: h})
		g.asked[1] = 1
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = far.Write(b)
			far.Close()
		}()
		for {
			p, err := pahoclient.ReadPacket(g)
			if err != nil {
				if g.cause() == nil && !errors.Is(err, io.EOF) {
					t.Errorf("% x: paho could not read what the guard let through: %v", b, err)
				}
				break
			}
			if s, ok := p.(*pahoclient.SubackPacket); ok && (len(s.ReturnCodes) != 1 || s.MessageID != 1) {
				t.Errorf("a SUBACK that paho would stumble over: %v", s)
			}
		}
		if g.cause() == nil {
			g.fail(io.EOF)
		}
		far.Close()
		<-sent
		g.wait()
		if len(h.completed) > 3 || len(h.received) > 1 {
			t.Errorf("completed %v, received %v", h.completed, h.received)
		}
	})
}
