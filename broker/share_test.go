package broker_test

import (
	"fmt"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// drain takes all messages that are on their way, acknowledges nothing, and returns them.
func drain(p *peer) (got []*mqtt.Publish) {
	p.t.Helper()
	p.send(&mqtt.Pingreq{})
	for {
		x, err := p.next(patience)
		if err != nil {
			p.t.Fatal(err)
		}
		switch x := x.(type) {
		case *mqtt.Publish:
			got = append(got, x)
		case *mqtt.Pingresp:
			return got
		default:
			p.t.Fatalf("%#v", x)
		}
	}
}

func payloads(messages ...[]*mqtt.Publish) map[string]int {
	n := map[string]int{}
	for _, list := range messages {
		for _, m := range list {
			n[string(m.Payload)]++
		}
	}
	return n
}

// once wants each of n numbered messages exactly once.
func once(t *testing.T, n int, got map[string]int) {
	t.Helper()
	equal(t, "different messages", len(got), n)
	for payload, times := range got {
		if times != 1 {
			t.Fatalf("%q came %d times", payload, times)
		}
	}
}

func TestSharedMessagesGoToOneMemberEach(t *testing.T) {
	for _, v := range versions {
		for qos := range byte(3) {
			t.Run(fmt.Sprintf("%v QoS %d", v, qos), func(t *testing.T) {
				r := brokertest.Start(t)
				a, b, other := clean(t, r, "a", v), clean(t, r, "b", v), clean(t, r, "other", v)
				a.subscribe(mqtt.Filter{Filter: "$share/g/m/+", QoS: qos})
				b.subscribe(mqtt.Filter{Filter: "$share/g/m/+", QoS: qos})
				other.subscribe(mqtt.Filter{Filter: "$share/h/m/+", QoS: qos})
				pub := clean(t, r, "pub", mqtt.V311)
				for i := range 40 {
					pub.publish(mqtt.Publish{Topic: "m/1", QoS: qos, Payload: fmt.Append(nil, i)})
				}
				pub.quiet()
				ofA, ofB := drain(a), drain(b)
				once(t, 40, payloads(ofA, ofB))
				if len(ofA) < 15 || len(ofB) < 15 {
					t.Errorf("spread unevenly: %d and %d", len(ofA), len(ofB))
				}
				once(t, 40, payloads(drain(other)))
				equal(t, "QoS", ofA[0].QoS, qos)
				a.send(&mqtt.Unsubscribe{PacketID: 3, Filters: []string{"$share/g/m/+"}})
				expect[*mqtt.Unsuback](a)
				pub.publish(mqtt.Publish{Topic: "m/1", QoS: qos, Payload: []byte("left")})
				pub.quiet()
				once(t, 1, payloads(drain(a), drain(b)))
			})
		}
	}
}

func TestAMemberWithMuchInFlightGetsLess(t *testing.T) {
	r := brokertest.Start(t)
	slow, fast := clean(t, r, "slow", mqtt.V5), clean(t, r, "fast", mqtt.V5)
	slow.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 1})
	fast.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 1})
	pub := clean(t, r, "pub", mqtt.V5)
	for i := range 50 {
		pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: fmt.Append(nil, i)})
		fast.send(&mqtt.Pingreq{})
		for done := false; !done; {
			switch x, err := fast.next(patience); x := x.(type) {
			case *mqtt.Publish:
				fast.send(&mqtt.Puback{PacketID: x.PacketID}, &mqtt.Pingreq{}) // once more, so that it is handled
				if _, err := fast.next(patience); err != nil {
					t.Fatal(err)
				}
			case *mqtt.Pingresp:
				done = true
			default:
				t.Fatal(x, err)
			}
		}
	}
	if n := len(drain(slow)); n == 0 || n > 3 {
		t.Errorf("%d of 50 for a member that acknowledges nothing", n)
	}
}

func TestSharedOptions(t *testing.T) {
	r := brokertest.Start(t)
	pub := clean(t, r, "pub", mqtt.V5)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Retain: true, Payload: []byte("old")})
	c := clean(t, r, "c", mqtt.V5)
	c.send(&mqtt.Subscribe{PacketID: 1, Properties: &mqtt.Properties{SubscriptionIdentifiers: []uint32{7}},
		Filters: []mqtt.Filter{{Filter: "$share/g/a", QoS: 1, RetainAsPublished: true}}})
	expect[*mqtt.Suback](c)
	equal(t, "retained messages at subscribe", len(drain(c)), 0)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 2, Retain: true, Payload: []byte("new")})
	m := c.receive()
	if m.QoS != 1 || !m.Retain || m.Properties == nil || len(m.Properties.SubscriptionIdentifiers) != 1 || m.Properties.SubscriptionIdentifiers[0] != 7 {
		t.Errorf("%+v %+v", m, m.Properties)
	}
	c.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "a", QoS: 1, RetainHandling: 2}}})
	expect[*mqtt.Suback](c)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: []byte("both")})
	equal(t, "a shared and an own filter", payloads(drain(c)), map[string]int{"both": 2})
	b := []byte{0x82, 15, 0, 1, 0, 0, 9}
	c.bytes(append(append(b, "$share/ga"...), 1)) // malformed
	c.expectEnd(mqtt.TopicFilterInvalid)
	c = clean(t, r, "c", mqtt.V5)
	b = []byte{0x82, 16, 0, 1, 0, 0, 10}
	c.bytes(append(append(b, "$share/g/a"...), 1|4)) // no local (MQTT-3.8.3-4)
	c.expectEnd(mqtt.ProtocolError)
	old := clean(t, r, "old", mqtt.V311)
	old.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "$share/g", QoS: 1}, {Filter: "$share/g/a", QoS: 1}}})
	equal(t, "SUBACK", expect[*mqtt.Suback](old).Codes, []mqtt.ReasonCode{0x80, 1})
}

func TestWhatAMemberLeavesGoesToAnother(t *testing.T) {
	r := brokertest.Start(t)
	limited := mqtt.Connect{Version: mqtt.V5, ClientID: "a", CleanStart: true,
		Properties: &mqtt.Properties{Has: mqtt.ReceiveMaximum, ReceiveMaximum: 4}}
	a := connect(t, r, limited)
	a.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V5)
	for i := range 20 { // the first four are in flight: two of QoS 1, two of QoS 2; the others wait
		pub.publish(mqtt.Publish{Topic: "a", QoS: byte(1 + i%2), Payload: fmt.Append(nil, i)})
	}
	ofA := drain(a)
	equal(t, "in flight", len(ofA), 4)
	a.send(&mqtt.Puback{PacketID: ofA[0].PacketID})
	b := clean(t, r, "b", mqtt.V5)
	b.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 2})
	ofA = append(ofA, drain(a)...) // one more, of QoS 1
	equal(t, "in flight", len(ofA), 5)
	a.nc.Close()
	eventually(t, "a's connection ends", func() bool { return r.Stats().Sessions == 2 })
	got := payloads(drain(b))
	for _, gone := range []string{"0", "1", "3"} { // acknowledged, or sent at QoS 2 (MQTT-4.8.2-5)
		if got[gone] != 0 {
			t.Errorf("%s came again", gone)
		}
	}
	once(t, 17, got)
}

func TestARefusedSharedMessageIsNotSentAgain(t *testing.T) {
	r := brokertest.Start(t)
	a, b := clean(t, r, "a", mqtt.V5), clean(t, r, "b", mqtt.V5)
	a.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V5)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1})
	pub.publish(mqtt.Publish{Topic: "a", QoS: 2})
	b.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 2})
	got := drain(a)
	equal(t, "messages", len(got), 2)
	a.send(&mqtt.Puback{PacketID: got[0].PacketID, Code: mqtt.ImplementationSpecificError},
		&mqtt.Pubrec{PacketID: got[1].PacketID, Code: mqtt.QuotaExceeded})
	a.disconnect()
	eventually(t, "a's session ends", func() bool { return r.Stats().Sessions == 2 })
	equal(t, "again (MQTT-4.8.2-6)", len(drain(b)), 0)
}

func TestPersistentMembersOfAShare(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	for _, id := range []string{"a", "b"} {
		c := kept(t, r, id, mqtt.V5)
		c.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 2})
		c.disconnect()
	}
	live := clean(t, r, "live", mqtt.V5)
	live.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 2})
	pub := clean(t, r, "pub", mqtt.V5)
	for i := range 10 {
		pub.publish(mqtt.Publish{Topic: "a", QoS: byte(i % 3), Payload: fmt.Append(nil, i)})
	}
	pub.quiet()
	once(t, 10, payloads(drain(live))) // the offline ones get nothing while somebody is connected
	live.disconnect()
	eventually(t, "its session ends", func() bool { return r.Stats().Sessions == 3 })
	// What live did not acknowledge at QoS 1 went to the queues: 1, 4, 7. The rest was of QoS 0, or sent at QoS 2.
	for i := range 20 {
		pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: fmt.Append(nil, 10+i)})
	}
	r2 := brokertest.Start(t, brokertest.With(store.PowerCut()))
	a := kept(t, r2, "a", mqtt.V5)
	b := kept(t, r2, "b", mqtt.V5)
	var ofA, ofB []*mqtt.Publish
	eventually(t, "all come", func() bool {
		ofA, ofB = append(ofA, drain(a)...), append(ofB, drain(b)...)
		return len(ofA)+len(ofB) >= 23
	})
	got := payloads(ofA, ofB)
	once(t, 23, got)
	equal(t, "taken over", got["1"]+got["4"]+got["7"], 3)
	if len(ofA) < 9 || len(ofB) < 9 {
		t.Errorf("spread unevenly: %d and %d", len(ofA), len(ofB))
	}
	// a's session ends without an acknowledgement: its messages are b's.
	a.disconnect()
	clean(t, r2, "a", mqtt.V5)
	eventually(t, "they come", func() bool {
		ofB = append(ofB, drain(b)...)
		return len(ofB) >= 23
	})
	once(t, 23, payloads(ofB))
}

func TestNobodyInAShareIsNobody(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.QueueMessages = 5 }))
	a := kept(t, r, "a", mqtt.V311)
	a.subscribe(mqtt.Filter{Filter: "$share/g/a", QoS: 1})
	a.disconnect()
	pub := clean(t, r, "pub", mqtt.V311)
	before := r.Stats().Dropped
	pub.publish(mqtt.Publish{Topic: "a", QoS: 0}) // nobody is connected, and queues keep no QoS 0
	pub.quiet()
	equal(t, "dropped", r.Stats().Dropped-before, uint64(1))
	a = kept(t, r, "a", mqtt.V311)
	a.send(&mqtt.Unsubscribe{PacketID: 3, Filters: []string{"$share/g/a"}})
	expect[*mqtt.Unsuback](a)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1})
	equal(t, "for nobody", len(drain(a)), 0)
	err := r.Client("x").Subscribe(t.Context(), edged.Subscription{Filter: "$share/g/a"}, func(edged.Message) {})
	if err == nil {
		t.Error("in-process clients cannot share")
	}
}
