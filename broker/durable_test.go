package broker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

func TestOfflineMessagesWaitAndComeInOrder(t *testing.T) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			r := brokertest.Start(t)
			sub := kept(t, r, "sub", v)
			sub.subscribe(mqtt.Filter{Filter: "a/#", QoS: 2})
			sub.disconnect()
			pub := clean(t, r, "pub", mqtt.V311)
			for i := range 300 {
				pub.publish(mqtt.Publish{Topic: "a/b", QoS: byte(i % 3), Payload: fmt.Append(nil, i)})
			}
			sub = kept(t, r, "sub", v)
			equal(t, "session present", sub.ack.SessionPresent, v != mqtt.V31)
			for i := range 300 {
				if i%3 > 0 {
					equal(t, "payload", string(receiveAmong(sub).Payload), fmt.Sprint(i))
				}
			}
		})
	}
}

// receiveAmong takes the next message; QoS 2 ones are completed by PUBREC and PUBCOMP as their PUBREL comes among others.
func receiveAmong(p *peer) *mqtt.Publish {
	p.t.Helper()
	for {
		x, err := p.next(patience)
		if err != nil {
			p.t.Fatal(err)
		}
		switch x := x.(type) {
		case *mqtt.Pubrel:
			p.send(&mqtt.Pubcomp{PacketID: x.PacketID})
		case *mqtt.Publish:
			if x.QoS == 1 {
				p.send(&mqtt.Puback{PacketID: x.PacketID})
			} else {
				p.send(&mqtt.Pubrec{PacketID: x.PacketID})
			}
			return x
		default:
			p.t.Fatalf("%#v", x)
		}
	}
}

func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := kept(t, r, "sub", mqtt.V5)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	sub.disconnect()
	pub := kept(t, r, "pub/with/slashes", mqtt.V311)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: []byte("1")})
	pub.publish(mqtt.Publish{Topic: "a", QoS: 2, Payload: []byte("2"), Retain: true})
	pub.send(&mqtt.Publish{Topic: "a", QoS: 2, PacketID: 77, Payload: []byte("3")})
	expect[*mqtt.Pubrec](pub)

	r2 := brokertest.Start(t, brokertest.With(store.PowerCut()))
	// The publisher did not see PUBREC, say: it sends again, and the message is not doubled.
	pub = kept(t, r2, "pub/with/slashes", mqtt.V311)
	equal(t, "session present", pub.ack.SessionPresent, true)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 2, PacketID: 77, Payload: []byte("3"), Dup: true})
	// After PUBREL the same identifier is a new message.
	pub.publish(mqtt.Publish{Topic: "a", QoS: 2, PacketID: 77, Payload: []byte("4")})
	sub = kept(t, r2, "sub", mqtt.V5)
	equal(t, "session present", sub.ack.SessionPresent, true)
	for _, want := range []string{"1", "2", "3", "4"} {
		equal(t, "payload", string(receiveAmong(sub).Payload), want)
	}
	reader := clean(t, r2, "reader", mqtt.V311)
	reader.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	if m := reader.receive(); string(m.Payload) != "2" || !m.Retain || m.QoS != 2 {
		t.Fatalf("retained: %+v", m)
	}
}

func TestAcknowledgementsWaitForTheDiskInOrderWhileTheReaderGoesOn(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	kept(t, r, "sub", mqtt.V311).subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V5)
	store.Hold()
	for i := range uint16(50) {
		pub.send(&mqtt.Publish{Topic: "a", QoS: byte(1 + i%2), PacketID: i + 1})
		pub.send(&mqtt.Publish{Topic: "nobody", QoS: 1, PacketID: i + 1001}) // needs no commit, but keeps its turn
	}
	eventually(t, "all are submitted", func() bool { n, _, _ := store.Waiting(); return n == 50 })
	pub.quiet()
	store.Release()
	for i := range uint16(50) {
		var id uint16
		if i%2 == 0 {
			id = expect[*mqtt.Puback](pub).PacketID
		} else {
			id = expect[*mqtt.Pubrec](pub).PacketID
		}
		equal(t, "acknowledged", id, i+1)
		equal(t, "acknowledged", expect[*mqtt.Puback](pub).PacketID, i+1001)
	}
}

func TestTheReaderStopsWhenTooMuchWaitsForTheDisk(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	kept(t, r, "sub", mqtt.V311).subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V5)
	store.Hold()
	for i := range uint16(1500) {
		pub.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: i + 1})
	}
	eventually(t, "the window is full", func() bool { n, _, _ := store.Waiting(); return n == 1000 })
	clean(t, r, "other", mqtt.V311).quiet()
	if n, _, _ := store.Waiting(); n != 1000 {
		t.Fatalf("%d wait", n)
	}
	store.Release()
	for i := range uint16(1500) {
		equal(t, "acknowledged", expect[*mqtt.Puback](pub).PacketID, i+1)
	}
}

func TestWhatCannotBeKeptIsNotAcknowledged(t *testing.T) {
	for err, want := range map[error]mqtt.ReasonCode{
		edged.ErrQueueFull: mqtt.QuotaExceeded, edged.ErrDiskFull: mqtt.QuotaExceeded, edged.ErrStoreFailed: mqtt.ImplementationSpecificError, errors.New("else"): mqtt.UnspecifiedError,
	} {
		store := brokertest.NewStore()
		r := brokertest.Start(t, brokertest.With(store))
		sub := kept(t, r, "sub", mqtt.V311)
		sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
		v5, v3 := clean(t, r, "v5", mqtt.V5), clean(t, r, "v3", mqtt.V311)
		store.Fail(err)
		v5.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 1, Payload: []byte("no")})
		equal(t, "PUBACK", expect[*mqtt.Puback](v5).Code, want)
		v5.send(&mqtt.Publish{Topic: "a", QoS: 2, PacketID: 2, Payload: []byte("no")})
		equal(t, "PUBREC", expect[*mqtt.Pubrec](v5).Code, want)
		if got := r.Client("local").Publish(t.Context(), edged.Message{Topic: "a", QoS: 1}); !errors.Is(got, err) {
			t.Fatalf("in-process publish: %v, want %v", got, err)
		}
		_, before, _ := store.Waiting()
		for i := range uint16(3) {
			v3.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: i + 1, Payload: fmt.Append(nil, i)})
		}
		eventually(t, "tried again", func() bool { _, n, _ := store.Waiting(); return n >= before+5 })
		store.Fail(nil)
		for i := range uint16(3) {
			equal(t, "PUBACK", expect[*mqtt.Puback](v3).PacketID, i+1)
		}
		for i := range 3 {
			equal(t, "delivered", string(sub.receive().Payload), fmt.Sprint(i))
		}
		// The refused identifier is free again.
		v5.publish(mqtt.Publish{Topic: "a", QoS: 2, PacketID: 2, Payload: []byte("yes")})
		equal(t, "delivered", string(sub.receive().Payload), "yes")
		if n := r.Stats().Denied; n < 6 {
			t.Fatalf("%d counted", n)
		}
	}
}

func TestPubrelComesAfterPubrecIsOnDiskAndAloneAfterAReconnect(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := kept(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	clean(t, r, "pub", mqtt.V311).publish(mqtt.Publish{Topic: "a", QoS: 2})
	id := expect[*mqtt.Publish](sub).PacketID
	store.Hold()
	sub.send(&mqtt.Pubrec{PacketID: id})
	eventually(t, "PUBREC is submitted", func() bool { n, _, _ := store.Waiting(); return n == 1 })
	sub.quiet()
	store.Release()
	equal(t, "PUBREL", expect[*mqtt.Pubrel](sub).PacketID, id)
	sub.nc.Close()

	sub = kept(t, r, "sub", mqtt.V311)
	equal(t, "PUBREL again", expect[*mqtt.Pubrel](sub).PacketID, id)
	r2 := brokertest.Start(t, brokertest.With(store.PowerCut()))
	sub = kept(t, r2, "sub", mqtt.V311)
	equal(t, "PUBREL after the power cut", expect[*mqtt.Pubrel](sub).PacketID, id)
	sub.send(&mqtt.Pubcomp{PacketID: id})
	sub.quiet()
}

func TestUnacknowledgedMessagesComeAgainWithDupAndTheSameIdentifier(t *testing.T) {
	r := brokertest.Start(t)
	sub := kept(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V311)
	var ids []uint16
	for i := range 5 {
		pub.publish(mqtt.Publish{Topic: "a", QoS: byte(1 + i%2), Payload: fmt.Append(nil, i)})
		ids = append(ids, expect[*mqtt.Publish](sub).PacketID)
	}
	sub.send(&mqtt.Puback{PacketID: ids[2]}) // out of order
	sub.quiet()
	sub.nc.Close()
	sub = kept(t, r, "sub", mqtt.V311)
	for _, i := range []int{0, 1, 3, 4} {
		m := expect[*mqtt.Publish](sub)
		if m.PacketID != ids[i] || !m.Dup || string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("%d: %+v, want identifier %d", i, m, ids[i])
		}
	}
	sub.quiet()
}

func TestIdentifiersWrapWithoutCollision(t *testing.T) {
	r := brokertest.Start(t)
	sub := kept(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	bus := r.Client("local")
	var stuck uint16
	const n = 60_050
	go func() {
		batch := make([]edged.Message, 0, 50)
		for i := range n {
			if batch = append(batch, edged.Message{Topic: "a", QoS: 1, Payload: fmt.Append(nil, i)}); len(batch) == cap(batch) {
				if err := bus.Publish(context.Background(), batch...); err != nil {
					t.Error(err)
				}
				batch = batch[:0]
			}
		}
	}()
	for i := range n {
		if i == 60_000 { // its identifier is that of the first, which is still in flight
			sub.quiet()
			sub.send(&mqtt.Puback{PacketID: stuck})
		}
		m := expect[*mqtt.Publish](sub)
		equal(t, "payload", string(m.Payload), fmt.Sprint(i))
		if i == 0 {
			stuck = m.PacketID
		} else {
			if m.PacketID == stuck && i < 60_000 {
				t.Fatalf("message %d has an identifier in use", i)
			}
			sub.send(&mqtt.Puback{PacketID: m.PacketID})
		}
	}
}

func TestAttachedQueueGetsOneCopyAtTheHighestQoS(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	q, err := store.Queue("uplink/cloud", edged.QueueLimits{})
	if err != nil {
		t.Fatal(err)
	}
	detach, err := r.Attach("cloud", q, []edged.Subscription{{Filter: "a/#", QoS: 1, NoLocal: true}, {Filter: "a/b", QoS: 2, NoLocal: true, RetainAsPublished: true}})
	if err != nil {
		t.Fatal(err)
	}
	pub := clean(t, r, "cloud", mqtt.V311) // a network client of the same name is somebody else
	pub.publish(mqtt.Publish{Topic: "a/b", QoS: 2, Retain: true, Payload: []byte("1")})
	pub.publish(mqtt.Publish{Topic: "a/b", QoS: 0, Payload: []byte("no")})
	if err := r.Client("cloud").Publish(t.Context(), edged.Message{Topic: "a/b", QoS: 1, Payload: []byte("no")}); err != nil {
		t.Fatal(err)
	}
	if err := r.Client("dev").Publish(t.Context(), edged.Message{Topic: "a/c", QoS: 2, Payload: []byte("2")}); err != nil {
		t.Fatal(err)
	}
	detach()
	detach()
	pub.publish(mqtt.Publish{Topic: "a/b", QoS: 1, Payload: []byte("no")})
	got, err := q.Lease(10)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if m := got[0]; string(m.Payload) != "1" || m.QoS != 2 || !m.Retain || m.From != "cloud" || m.Time.IsZero() {
		t.Fatalf("%+v", m)
	}
	if m := got[1]; string(m.Payload) != "2" || m.QoS != 1 || m.Retain || m.From != "dev" {
		t.Fatalf("%+v", m)
	}
	if _, err := r.Attach("x", q, []edged.Subscription{{Filter: "a/#/b"}}); err == nil {
		t.Fatal("a malformed filter is accepted")
	}
}

func TestNothingIsCommittedWhenNobodyNeedsIt(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := clean(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "#", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V311)
	_, before, _ := store.Waiting()
	for qos := range byte(3) {
		pub.publish(mqtt.Publish{Topic: "a", QoS: qos})
		sub.receive()
	}
	_, after, _ := store.Waiting()
	equal(t, "commits", after, before)
}
