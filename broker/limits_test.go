package broker_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// limited starts a broker with other limits.
func limited(t *testing.T, change func(*broker.Limits)) *brokertest.Running {
	t.Helper()
	return brokertest.Start(t, brokertest.Config(func(c *broker.Config) { change(&c.Limits) }))
}

func TestEveryLimitIsDocumentedAndInTheExample(t *testing.T) {
	docs, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../configs/edged.yaml")
	if err != nil {
		t.Fatal(err)
	}
	typ := reflect.TypeFor[broker.Limits]()
	rows := 0
	for line := range strings.Lines(string(docs)) {
		if strings.HasPrefix(line, "| `") {
			rows++
		}
	}
	for i := range typ.NumField() {
		key := typ.Field(i).Tag.Get("yaml")
		if !bytes.Contains(docs, []byte("`"+key+"`")) {
			t.Errorf("%s is not in docs/limits.md", key)
		}
		if !bytes.Contains(example, []byte("    "+key+": ")) {
			t.Errorf("%s is not in configs/edged.yaml", key)
		}
	}
	if rows < 10 {
		t.Errorf("docs/limits.md has a table of %d rows", rows)
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	r := limited(t, func(l *broker.Limits) { l.ConnectionsPerAddress = 3 })
	var peers []*peer
	for i := range 3 {
		peers = append(peers, clean(t, r, fmt.Sprint("x", i), mqtt.V311))
	}
	dial(t, r).expectEnd(0)
	other := from(t, r, "127.0.0.2")
	other.send(&mqtt.Connect{Version: mqtt.V311, ClientID: "other", CleanStart: true})
	equal(t, "from another address", expect[*mqtt.Connack](other).Code, mqtt.Success)
	peers[0].disconnect()
	eventually(t, "there is room again", func() bool {
		x := dial(t, r)
		x.nc.SetDeadline(time.Now().Add(patience))
		b := encode311(t, &mqtt.Connect{Version: mqtt.V311, ClientID: "again", CleanStart: true})
		_, _ = x.nc.Write(b)
		_, err := io.ReadFull(x.nc, b[:4])
		return err == nil
	})
	for _, p := range peers[1:] {
		p.quiet()
	}
}

func from(t *testing.T, r *brokertest.Running, ip string) *peer {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	nc, err := d.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &peer{t: t, nc: nc, v: mqtt.V311}
}

func encode311(t *testing.T, p mqtt.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil, mqtt.V311)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConnectionsBeforeConnect(t *testing.T) {
	r := limited(t, func(l *broker.Limits) { l.Connecting = 2 })
	clean(t, r, "x", mqtt.V311).quiet() // those that are connected do not count
	clean(t, r, "y", mqtt.V311).quiet()
	clean(t, r, "z", mqtt.V311).quiet()
	a, b := dial(t, r), dial(t, r)
	dial(t, r).expectEnd(0)
	b.nc.Close()
	eventually(t, "there is room again", func() bool {
		nc, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		p := encode311(t, &mqtt.Connect{Version: mqtt.V311, ClientID: "again", CleanStart: true})
		_, _ = nc.Write(p)
		_, err = io.ReadFull(nc, p[:4])
		return err == nil
	})
	a.send(&mqtt.Connect{Version: mqtt.V311, ClientID: "a", CleanStart: true})
	expect[*mqtt.Connack](a)
}

func TestTheConnectIsBoundedBeforeItHasArrived(t *testing.T) {
	r := limited(t, func(l *broker.Limits) { l.ConnectBytes, l.ConnectTimeout = 1000, time.Minute })
	x := dial(t, r)
	x.bytes([]byte{0x10, 0xE6, 0x07, 0, 4, 'M', 'Q', 'T', 'T', 4}) // 1,001 in all
	x.expectEnd(0)
	y := connect(t, r, mqtt.Connect{ClientID: "y", CleanStart: true})
	y.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: make([]byte, 5000)}) // later packets have their own bound
}

func TestAClientIsHeldToItsRate(t *testing.T) {
	for name, c := range map[string]struct {
		limit func(*broker.Limits)
		size  int
	}{
		"messages": {func(l *broker.Limits) { l.PublishMessages = 50 }, 10},
		"bytes":    {func(l *broker.Limits) { l.PublishBytes = 50 * 1000 }, 1000 - 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := limited(t, c.limit)
			sub, other := clean(t, r, "sub", mqtt.V311), clean(t, r, "other", mqtt.V311)
			sub.subscribe(mqtt.Filter{Filter: "a"})
			pub := connect(t, r, mqtt.Connect{ClientID: "pub", CleanStart: true, KeepAlive: 1})
			begin := time.Now()
			const n = 100 // a second's worth at once, the rest at the rate
			for range n {
				pub.send(&mqtt.Publish{Topic: "a", Payload: make([]byte, c.size)})
			}
			other.quiet() // is not held up
			for range n {
				equal(t, "size", len(expect[*mqtt.Publish](sub).Payload), c.size)
			}
			if took := time.Since(begin); took < 900*time.Millisecond {
				t.Fatalf("%d messages in %v", n, took)
			}
			pub.quiet()
			if s := r.Stats(); s.Throttled == 0 || s.Dropped != 0 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestAThrottledClientCanBeStopped(t *testing.T) {
	r := limited(t, func(l *broker.Limits) { l.PublishBytes = 1 })
	pub := clean(t, r, "pub", mqtt.V5)
	pub.send(&mqtt.Publish{Topic: "a", Payload: make([]byte, 1000)}) // a quarter of an hour's worth
	eventually(t, "held", func() bool { return r.Stats().Throttled == 1 })
	r.Stop(t)
	pub.expectEnd(mqtt.ServerShuttingDown)
}

func TestMemoryOfAllClientsTogether(t *testing.T) {
	const limit = 2 << 20
	r := limited(t, func(l *broker.Limits) { l.MemoryBytes = limit })
	var deaf []*peer
	for i := range 8 {
		x := clean(t, r, fmt.Sprint("deaf", i), mqtt.V311)
		x.subscribe(mqtt.Filter{Filter: "a"})
		deaf = append(deaf, x)
	}
	good, pub := clean(t, r, "good", mqtt.V311), clean(t, r, "pub", mqtt.V311)
	good.subscribe(mqtt.Filter{Filter: "a"})
	payload := make([]byte, 60_000)
	for n := 0; r.Stats().Dropped == 0; n++ { // each alone may have 64 MiB
		if n > 2000 {
			t.Fatalf("no bound was reached: %+v", r.Stats())
		}
		pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: payload})
		expect[*mqtt.Publish](good)
	}
	if w := r.Stats().Waiting; w > limit+8*70_000 {
		t.Fatalf("%d bytes wait", w)
	}
	for _, x := range deaf {
		x.nc.Close()
	}
	eventually(t, "all of it is given back", func() bool { return r.Stats().Waiting == 0 })
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: payload})
	expect[*mqtt.Publish](good)
}

func TestAPublisherIsNotReadFarAheadOfTheDisk(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := kept(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	sub.disconnect()
	pub := clean(t, r, "pub", mqtt.V311)
	store.Hold()
	const size = 500_000
	go func() {
		b := encode311(t, &mqtt.Publish{Topic: "a", QoS: 1, PacketID: 1, Payload: make([]byte, size)})
		for i := range 100 { // 50 MB
			b[7], b[8] = 0, byte(i+1) // the packet identifier
			if _, err := pub.nc.Write(b); err != nil {
				return
			}
		}
	}()
	eventually(t, "the reader stops", func() bool { n, _, _ := store.Waiting(); return n*size > 4<<20 })
	n, _, _ := store.Waiting()
	clean(t, r, "other", mqtt.V311).quiet()
	if more, _, _ := store.Waiting(); more > n+1 || more*size > 5<<20 {
		t.Fatalf("%d, then %d messages of %d bytes wait for the disk", n, more, size)
	}
	store.Release()
	for range 100 {
		if a := expect[*mqtt.Puback](pub); a.Code.Failed() {
			t.Fatalf("%+v", a)
		}
	}
	equal(t, "bytes waiting", r.Stats().Waiting, int64(0))
}

func TestTopicLevels(t *testing.T) {
	r := limited(t, func(l *broker.Limits) { l.TopicLevels = 3 })
	x := clean(t, r, "x", mqtt.V5)
	x.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "a/b/c"}, {Filter: "a/b/c/d"}, {Filter: "#"}}})
	equal(t, "SUBACK", expect[*mqtt.Suback](x).Codes, []mqtt.ReasonCode{0, mqtt.QuotaExceeded, 0})
	x.send(&mqtt.Publish{Topic: "1/2/3/4", Retain: true, Payload: []byte("y")})
	equal(t, "delivered", expect[*mqtt.Publish](x).Topic, "1/2/3/4")
	equal(t, "not retained", r.Stats().NotRetained, uint64(1))
}

// Sockets that mean harm, of four kinds; the last one sends a byte whenever it is asked to.
func TestAThousandHostileSockets(t *testing.T) {
	const many = 1000
	const timeout = 3 * time.Second
	r := limited(t, func(l *broker.Limits) {
		l.Connections, l.ConnectionsPerAddress, l.Connecting, l.ConnectTimeout = 2*many, 2*many, 2*many, timeout
		l.PacketBytes = 256 << 20
	})
	good := clean(t, r, "good", mqtt.V311)
	starts := [][]byte{
		nil,                            // silent
		{0x10, 0xFF, 0xFF, 0x07, 0, 4}, // claims a CONNECT of 128 KiB
		{0x10},                         // less than a header
		append([]byte{0x10, 0x80, 0x20, 0, 4}, make([]byte, 3900)...), // nearly all of 4 KiB
	}
	before, first := heap(), r.Stats().BytesReceived
	begin := time.Now()
	var socks []net.Conn
	for i := range many {
		nc, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if _, err := nc.Write(starts[i%len(starts)]); err != nil {
			t.Fatal(err)
		}
		socks = append(socks, nc)
	}
	sent := uint64(0)
	for i := range many {
		sent += uint64(len(starts[i%len(starts)]))
	}
	eventually(t, "all of it has arrived", func() bool { return r.Stats().BytesReceived >= first+sent })
	grown := int64(heap()) - int64(before)
	t.Logf("%d bytes, %v after the first", grown, time.Since(begin))
	if grown > 16<<20 {
		t.Errorf("%d hostile sockets hold %d bytes", many, grown)
	}
	good.quiet()
	eventually(t, "all of them are closed", func() bool { return r.Stats().Refused >= many })
	for _, nc := range socks {
		nc.SetReadDeadline(time.Now().Add(patience))
		if n, err := nc.Read(make([]byte, 10)); err == nil {
			t.Fatalf("an answer of %d bytes", n)
		} else if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a socket is still open")
		}
	}
	good.quiet()
}

// heap is the memory in use: objects and stacks.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
