package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/bench/wire"
)

// exchange lets one publisher send n messages to one subscriber, and returns how it went.
func exchange(t *testing.T, b *broker, qos byte, n uint64, r Reception) (*Sink, error) {
	t.Helper()
	l := New(t.Context(), startBroker(t, b))
	l.patience = 200 * time.Millisecond
	pub, err := l.Publisher("pub", Publication{Topic: func(uint64) string { return "a/b" }, QoS: qos, Size: 64, Window: 5, Deliveries: 1})
	if err != nil {
		return nil, l.Close(err)
	}
	c, err := l.Connect("sub", false)
	if err != nil {
		return nil, l.Close(err)
	}
	if err := c.Subscribe(0, "a/b"); err != nil {
		return nil, l.Close(err)
	}
	r.Publishers, r.Flows = []*Publisher{pub}, 1
	sink, err := l.Sink(c, r)
	if err == nil {
		err = l.SendEach(r.Publishers, n)
	}
	return sink, l.Close(err)
}

func TestAllArrive(t *testing.T) {
	for qos := range byte(3) {
		sink, err := exchange(t, &broker{}, qos, 100, Reception{Latency: true})
		if err != nil {
			t.Fatalf("QoS %d: %v", qos, err)
		}
		if sink.Count() != 100 || len(sink.Samples()) != 100 {
			t.Errorf("QoS %d: %d arrived, %d latencies; want 100", qos, sink.Count(), len(sink.Samples()))
		}
		for _, s := range sink.Samples() {
			if s <= 0 || s > int64(time.Minute) {
				t.Fatalf("QoS %d: a latency of %v", qos, time.Duration(s))
			}
		}
	}
}

// Each case is a fault of the broker under test that the benchmark must not overlook.
func TestFaultsOfTheBrokerAreSeen(t *testing.T) {
	var held []byte
	for name, c := range map[string]struct {
		broker *broker
		qos    byte
		want   string
	}{
		"lost": {broker: &broker{deliver: func(n int, p []byte) [][]byte {
			if n == 20 {
				return nil
			}
			return [][]byte{p}
		}}, want: "lost"},
		"repeated": {broker: &broker{deliver: func(n int, p []byte) [][]byte {
			if n == 20 {
				return [][]byte{p, p}
			}
			return [][]byte{p}
		}}, want: "message 20 of publisher 0 came after 20"},
		"overtaken": {broker: &broker{deliver: func(n int, p []byte) [][]byte {
			switch n {
			case 20:
				held = p
				return nil
			case 21:
				return [][]byte{p, held}
			}
			return [][]byte{p}
		}}, want: "message 20 of publisher 0 came after 21"},
		"payload cut": {broker: &broker{deliver: func(int, []byte) [][]byte {
			return [][]byte{wire.AppendPublish(nil, "a/b", []byte("x"), 0, false, 0)}
		}}, want: "a payload of 1 bytes"},
		"strange publisher": {broker: &broker{deliver: func(int, []byte) [][]byte {
			return [][]byte{wire.AppendPublish(nil, "a/b", []byte("xxxxxxxxxxxxxxxxxxxxxxxx"), 0, false, 0)}
		}}, want: "of whom there are 1"},
		"nonsense": {broker: &broker{deliver: func(int, []byte) [][]byte {
			return [][]byte{{0x30, 0xff, 0xff, 0xff, 0xff, 0xff}}
		}}, want: "malformed"},
		"too long": {broker: &broker{deliver: func(int, []byte) [][]byte {
			return [][]byte{append([]byte{0x30, 0xff, 0xff, 0x7f}, make([]byte, 70_000)...)}
		}}, want: "a packet longer than"},
		"not acknowledged": {broker: &broker{answer: func(p wire.Packet) []byte {
			if p.Type == wire.PUBLISH {
				return []byte{}
			}
			return nil
		}}, qos: 1, want: "lost"},
		"wrong acknowledgement": {broker: &broker{answer: func(p wire.Packet) []byte {
			if p.Type == wire.PUBLISH {
				return wire.AppendAck(nil, wire.PUBACK, p.ID())
			}
			return nil
		}}, qos: 2, want: "unexpected packet type 4 at QoS 2"},
		"CONNECT refused": {broker: &broker{answer: func(wire.Packet) []byte { return []byte{0x20, 2, 0, 5} }}, want: "CONNECT was answered with packet type 2"},
		"SUBSCRIBE refused": {broker: &broker{answer: func(p wire.Packet) []byte {
			if p.Type == wire.SUBSCRIBE {
				return []byte{0x90, 3, 0, 1, 0x80}
			}
			return nil
		}}, want: "answered with 0x80"},
	} {
		_, err := exchange(t, c.broker, c.qos, 40, Reception{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", name, err, c.want)
		}
	}
}

func TestUnorderedCountsWhatWasOvertaken(t *testing.T) {
	var held []byte
	sink, err := exchange(t, &broker{deliver: func(n int, p []byte) [][]byte {
		if n == 3 {
			held = p
			return nil
		}
		if n == 5 {
			return [][]byte{p, held}
		}
		return [][]byte{p}
	}}, 0, 10, Reception{Unordered: true})
	if err != nil || sink.Overtaken() != 1 || sink.Count() != 10 {
		t.Errorf("%d arrived, %d overtaken, %v; want 10, 1", sink.Count(), sink.Overtaken(), err)
	}
	if _, err := exchange(t, &broker{deliver: func(_ int, p []byte) [][]byte { return [][]byte{p, p} }}, 0, 10, Reception{Unordered: true}); err == nil ||
		!strings.Contains(err.Error(), "came twice") {
		t.Errorf("repeated: %v", err)
	}
}

// The window is what keeps a broker from being flooded: with no delivery, no more than it may be sent.
func TestWindow(t *testing.T) {
	b := &broker{deliver: func(int, []byte) [][]byte { return nil }}
	l := New(t.Context(), startBroker(t, b))
	pub, err := l.Publisher("pub", Publication{Topic: func(uint64) string { return "a" }, Window: 7, Deliveries: 1})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	l.run(func() error { return pub.Run(stop, 0) })
	if err := l.Await("messages sent", 7, pub.sent.Load); err != nil {
		t.Fatal(err)
	}
	for credits := range uint64(20) {
		pub.credit()
		if err := l.Await("messages sent", 8+credits, pub.sent.Load); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(nil); err != nil { // with the publisher still waiting for its window
		t.Fatal(err)
	}
}

func TestSaturateAndPace(t *testing.T) {
	l := New(t.Context(), startBroker(t, &broker{}))
	pub, err := l.Publisher("pub", Publication{Topic: func(uint64) string { return "a" }, QoS: 1, Window: 7, Deliveries: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Connect("sub", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Subscribe(0, "a"); err != nil {
		t.Fatal(err)
	}
	pubs := []*Publisher{pub}
	if _, err := l.Sink(c, Reception{Publishers: pubs, Flows: 1}); err != nil {
		t.Fatal(err)
	}
	var marks []uint64
	if err := l.Saturate(pubs, 50*time.Millisecond, 50*time.Millisecond, func() { marks = append(marks, pub.Delivered()) }); err != nil {
		t.Fatal(err)
	}
	if len(marks) != 2 || marks[0] == 0 || marks[1] <= marks[0] || pub.Delivered() != pub.sent.Load() {
		t.Errorf("%d delivered at the marks, %d of %d at the end", marks, pub.Delivered(), pub.sent.Load())
	}
	before := pub.Delivered()
	if err := l.Pace(pubs, 1000, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if n := pub.Delivered() - before; n < 1 || n > 100 {
		t.Errorf("%d messages at 1000/s in 100 ms", n)
	}
	if err := l.Close(nil); err != nil {
		t.Fatal(err)
	}
}

func TestBrokerDies(t *testing.T) {
	b := &broker{}
	b.deliver = func(n int, p []byte) [][]byte {
		if n == 10 {
			for _, c := range b.conns {
				c.Close()
			}
		}
		return [][]byte{p}
	}
	if _, err := exchange(t, b, 1, 1000, Reception{}); err == nil {
		t.Error("no error, though the broker cut all connections")
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := New(ctx, startBroker(t, &broker{deliver: func(int, []byte) [][]byte { return nil }}))
	pub, err := l.Publisher("pub", Publication{Topic: func(uint64) string { return "a" }, Window: 1, Deliveries: 1})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := l.Close(l.SendEach([]*Publisher{pub}, 5)); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("%v, want context canceled", err)
	}
}
