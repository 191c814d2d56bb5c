package broker_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// FuzzConnection sends whole conversations, one side of them, to a broker: whatever comes, that connection ends in order, no goroutine
// panics, and a bystander's message still arrives.
func FuzzConnection(f *testing.F) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		will := &mqtt.Will{Topic: "will", Payload: []byte("x"), QoS: 1, Retain: true}
		filters := []mqtt.Filter{{Filter: "a/#", QoS: 2}, {Filter: "+/b", QoS: 1}, {Filter: "$share/g/a/+", QoS: 1}}
		for _, clean := range []bool{true, false} {
			var script []byte
			for _, p := range []mqtt.Packet{
				&mqtt.Connect{Version: v, CleanStart: clean, ClientID: "fuzz", KeepAlive: 10, Will: will},
				&mqtt.Subscribe{PacketID: 1, Filters: filters},
				&mqtt.Publish{Topic: "a/b", QoS: 0, Payload: []byte("0")},
				&mqtt.Publish{Topic: "a/b", QoS: 1, PacketID: 2, Retain: true, Payload: []byte("1")},
				&mqtt.Publish{Topic: "a/b", QoS: 2, PacketID: 3, Payload: []byte("2")},
				&mqtt.Pubrel{PacketID: 3},
				&mqtt.Puback{PacketID: 1}, &mqtt.Pubrec{PacketID: 2}, &mqtt.Pubcomp{PacketID: 2},
				&mqtt.Unsubscribe{PacketID: 4, Filters: []string{"a/#"}},
				&mqtt.Pingreq{},
				&mqtt.Disconnect{},
			} {
				next, err := p.Append(script, v)
				if err != nil {
					continue // $share is version 5's own
				}
				script = next
				f.Add(script)
			}
		}
	}
	r := brokertest.Start(f, brokertest.Config(func(c *broker.Config) { c.Limits.ConnectTimeout = time.Second }))
	heard := make(chan struct{}, 1)
	if err := r.Client("bystander").Subscribe(f.Context(), edged.Subscription{Filter: "bystander/alive", QoS: 1}, func(m edged.Message) {
		if m.From == "bystander" {
			select {
			case heard <- struct{}{}:
			default:
			}
		}
	}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		c, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		// The broker may close before it has read everything, so a failing write is no fault; not closing is one.
		if _, err := c.Write(script); err == nil {
			_ = c.(*net.TCPConn).CloseWrite()
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("the connection is still open: %v", err)
			}
		}
		if n := r.Stats().Panics; n > 0 {
			t.Fatalf("%d panics", n)
		}
		if err := r.Client("bystander").Publish(t.Context(), edged.Message{Topic: "bystander/alive", QoS: 1}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-heard:
		case <-time.After(20 * time.Second):
			t.Fatal("the bystander hears nothing any more")
		}
	})
}
