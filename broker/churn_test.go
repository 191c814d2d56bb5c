package broker_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// churn is how many connections come and go; EDGED_CHURN sets another number, such as 100000.
func churn(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("EDGED_CHURN"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("EDGED_CHURN: %v", err)
		}
		return n
	}
	return 1500
}

func TestNothingIsLeftOfConnections(t *testing.T) {
	n := churn(t)
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.SysInterval = 0; c.Limits.Subscriptions = 5 }))
	stay, feed := clean(t, r, "stay", mqtt.V5), clean(t, r, "feed", mqtt.V5)
	stay.subscribe(mqtt.Filter{Filter: "churn/#", QoS: 1})
	var seen sync.WaitGroup
	seen.Go(func() { drainUntil(stay, "churn/end") })

	start := left()
	comeAndGo(t, r, 300) // pools and maps have their size after that
	eventually(t, "all have left", func() bool { s := r.Stats(); return s.Connected == 2 && s.Sessions == 2 })
	before := left()
	comeAndGo(t, r, n)
	eventually(t, "all have left", func() bool { s := r.Stats(); return s.Connected == 2 && s.Sessions == 2 && s.Subscriptions == 1 })
	feed.publish(mqtt.Publish{Topic: "churn/end", QoS: 1})
	seen.Wait()
	var after leftovers
	eventually(t, "goroutines and descriptors are given back", func() bool {
		after = left()
		return after.goroutines <= start.goroutines && after.descriptors <= start.descriptors
	})
	if grown := int64(after.heap) - int64(before.heap); grown > 2<<20 {
		t.Errorf("%d connections left %d bytes", n, grown)
	}
	s := r.Stats()
	t.Logf("%d connections: %+v at first, %+v before, %+v after; %+v", n, start, before, after, s)
	if s.Panics != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

type leftovers struct {
	goroutines, descriptors int
	heap                    uint64
}

func left() leftovers {
	fds, _ := os.ReadDir("/proc/self/fd")
	return leftovers{runtime.NumGoroutine(), len(fds), heap()}
}

// drainUntil reads and acknowledges until a message on that topic comes.
func drainUntil(p *peer, last string) {
	for {
		x, err := p.next(time.Minute)
		if err != nil {
			p.t.Errorf("the one who stays: %v", err)
			return
		}
		if m, ok := x.(*mqtt.Publish); ok {
			if m.QoS > 0 {
				p.send(&mqtt.Puback{PacketID: m.PacketID})
			}
			if m.Topic == last {
				return
			}
		}
	}
}

// comeAndGo opens n connections, eight at a time, that end in all the ways there are.
func comeAndGo(t *testing.T, r *brokertest.Running, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				visit(t, r, i)
			}
		})
	}
	wg.Wait()
}

// visit is one connection: it may take another one's place, leave a will, a subscription, a message half written, an answer unread.
func visit(t *testing.T, r *brokertest.Running, i int) {
	nc, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	if i%16 == 0 {
		return // without a word
	}
	v := versions[i%3]
	c := &mqtt.Connect{Version: v, ClientID: fmt.Sprint("visitor", i%40), CleanStart: true, KeepAlive: 60} // some take over
	if i%5 == 0 {
		c.Will = &mqtt.Will{Topic: fmt.Sprint("churn/will/", i), QoS: 1}
	}
	var b []byte
	for _, p := range []mqtt.Packet{
		c,
		&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: fmt.Sprint("churn/", i%7), QoS: 2}, {Filter: "churn/all"}}},
		&mqtt.Publish{Topic: fmt.Sprint("churn/", i%7), QoS: byte(i % 3), PacketID: idIf(i % 3), Payload: []byte("x")},
		&mqtt.Publish{Topic: "churn/all", Payload: make([]byte, 100)},
		&mqtt.Pingreq{},
	} {
		if b, err = p.Append(b, v); err != nil {
			t.Error(err)
			return
		}
	}
	switch i % 4 {
	case 0: // gone without reading
		_, _ = nc.Write(b)
		return
	case 1:
		b = append(b, 0x30, 0x20, 0, 1) // half a message
	case 2:
		b = append(b, 0xE0, 0) // DISCONNECT
	case 3:
		b = append(b, 0xC1, 0) // against the standard
	}
	_, _ = nc.Write(b)
	if i%4 == 1 {
		_, _ = nc.Read(make([]byte, 4))
		return
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	scratch := make([]byte, 1024)
	for {
		if _, err := nc.Read(scratch); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("visitor %d: the connection does not end", i)
			}
			return
		}
	}
}

func idIf(qos int) uint16 {
	if qos > 0 {
		return 7
	}
	return 0
}
