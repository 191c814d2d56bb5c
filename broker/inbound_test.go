package broker_test

import (
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// A client that repeats a QoS 2 message on a new connection gets PUBREC only when the first commit of it is on disk.
func TestARepeatedMessageIsAnsweredOnceTheFirstIsKept(t *testing.T) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			store := brokertest.NewStore()
			r := brokertest.Start(t, brokertest.With(store))
			sub := kept(t, r, "sub", mqtt.V311)
			sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
			pub := kept(t, r, "pub", v)
			store.Hold()
			pub.send(&mqtt.Publish{Topic: "a", QoS: 2, PacketID: 7, Payload: []byte("once")})
			eventually(t, "it is submitted", func() bool { n, _, _ := store.Waiting(); return n == 1 })
			pub.nc.Close()
			pub = kept(t, r, "pub", v)
			pub.send(&mqtt.Publish{Dup: true, Topic: "a", QoS: 2, PacketID: 7, Payload: []byte("once")})
			pub.quiet()
			store.Release()
			rec := expect[*mqtt.Pubrec](pub)
			equal(t, "PUBREC", rec.PacketID, uint16(7))
			equal(t, "reason", rec.Code, mqtt.Success)
			pub.send(&mqtt.Pubrel{PacketID: 7})
			expect[*mqtt.Pubcomp](pub)
			equal(t, "delivered", string(sub.receive().Payload), "once")
			sub.quiet()
		})
	}
}

// A message whose commit failed is not remembered as taken in: repeated on later connections it is kept, and only then answered.
func TestAMessageThatCouldNotBeKeptIsTakenInAnew(t *testing.T) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			store := brokertest.NewStore()
			r := brokertest.Start(t, brokertest.With(store))
			sub := kept(t, r, "sub", mqtt.V311)
			sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
			pub := kept(t, r, "pub", v)
			_, before, _ := store.Waiting()
			store.Fail(edged.ErrStoreFailed)
			for range 3 {
				pub.send(&mqtt.Publish{Topic: "a", QoS: 2, PacketID: 7, Payload: []byte("once")})
				if v == mqtt.V5 {
					equal(t, "reason", expect[*mqtt.Pubrec](pub).Code, mqtt.ImplementationSpecificError)
				}
				eventually(t, "it was tried", func() bool { _, n, _ := store.Waiting(); return n > before })
				_, before, _ = store.Waiting()
				pub.nc.Close()
				eventually(t, "the connection is over", func() bool { return r.Stats().Connected == 1 })
				pub = kept(t, r, "pub", v)
			}
			store.Fail(nil)
			pub.send(&mqtt.Publish{Dup: true, Topic: "a", QoS: 2, PacketID: 7, Payload: []byte("once")})
			rec := expect[*mqtt.Pubrec](pub)
			equal(t, "reason", rec.Code, mqtt.Success)
			pub.send(&mqtt.Pubrel{PacketID: 7})
			expect[*mqtt.Pubcomp](pub)
			equal(t, "delivered", string(sub.receive().Payload), "once")
			sub.quiet()
		})
	}
}

// A disk that is full for a moment must not let messages overtake the one that it refused.
func TestWhatIsBehindARefusedMessageWaitsForIt(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := kept(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	pub := kept(t, r, "pub", mqtt.V311)
	store.Hold()
	const n = 20
	for i := range uint16(n) {
		pub.send(&mqtt.Publish{Topic: "a", QoS: byte(1 + i%2), PacketID: i + 1, Payload: []byte{byte(i)}})
	}
	eventually(t, "all are submitted", func() bool { waiting, _, _ := store.Waiting(); return waiting == n })
	store.FailOnce(edged.ErrDiskFull)
	store.Release()
	for i := range uint16(n) {
		if i%2 == 0 {
			equal(t, "PUBACK", expect[*mqtt.Puback](pub).PacketID, i+1)
		} else {
			equal(t, "PUBREC", expect[*mqtt.Pubrec](pub).PacketID, i+1)
		}
	}
	for i := range n {
		equal(t, "delivered", receiveAmong(sub).Payload[0], byte(i))
	}
	// The fence is gone: the next message is kept at once.
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, PacketID: 100, Payload: []byte{100}})
	equal(t, "delivered", receiveAmong(sub).Payload[0], byte(100))
}
