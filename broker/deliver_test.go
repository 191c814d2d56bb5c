package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

func TestEveryVersionAndQoSReachesEveryOther(t *testing.T) {
	r := brokertest.Start(t)
	for _, from := range versions {
		for _, to := range versions {
			for _, keep := range []bool{false, true} {
				name := fmt.Sprintf("%v to %v kept %v", from, to, keep)
				t.Run(name, func(t *testing.T) {
					pub := clean(t, r, "pub", from)
					open := clean
					if keep {
						open = kept
					}
					for granted := byte(0); granted <= 2; granted++ {
						sub := open(t, r, fmt.Sprintf("sub%d%d-%d%v", from, to, granted, keep), to)
						sub.subscribe(mqtt.Filter{Filter: "a/+/c", QoS: granted})
						for qos := byte(0); qos <= 2; qos++ {
							pub.publish(mqtt.Publish{Topic: "a/b/c", QoS: qos, Payload: []byte{'0' + qos}})
							got := sub.receive()
							if got.QoS != min(qos, granted) || got.Topic != "a/b/c" || string(got.Payload) != string('0'+qos) || got.Retain || got.Dup {
								t.Fatalf("QoS %d to %d: got %+v", qos, granted, got)
							}
						}
						sub.quiet()
						sub.disconnect()
					}
				})
			}
		}
	}
}

func TestOverlappingFiltersGiveOneCopyAtTheHighestQoSWithAllIdentifiers(t *testing.T) {
	r := brokertest.Start(t)
	sub := clean(t, r, "sub", mqtt.V5)
	for i, f := range []mqtt.Filter{{Filter: "a/#"}, {Filter: "a/+", QoS: 2}, {Filter: "a/b", QoS: 1}} {
		sub.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{f}, Properties: &mqtt.Properties{SubscriptionIdentifiers: []uint32{uint32(i + 7)}}})
		expect[*mqtt.Suback](sub)
	}
	pub := clean(t, r, "pub", mqtt.V311)
	pub.publish(mqtt.Publish{Topic: "a/b", QoS: 2})
	got := sub.receive()
	equal(t, "QoS", got.QoS, byte(2))
	equal(t, "identifiers", got.Properties.SubscriptionIdentifiers, []uint32{7, 8, 9})
	sub.quiet()
	sub.send(&mqtt.Unsubscribe{PacketID: 3, Filters: []string{"a/#", "a/+", "a/b", "x"}})
	equal(t, "UNSUBACK", expect[*mqtt.Unsuback](sub).Codes, []mqtt.ReasonCode{0, 0, 0, mqtt.NoSubscriptionExisted})
	pub.publish(mqtt.Publish{Topic: "a/b", QoS: 2})
	sub.quiet()
}

func TestNoLocalAndRetainAsPublished(t *testing.T) {
	r := brokertest.Start(t)
	p := clean(t, r, "p", mqtt.V5)
	p.subscribe(mqtt.Filter{Filter: "no", NoLocal: true}, mqtt.Filter{Filter: "as", RetainAsPublished: true}, mqtt.Filter{Filter: "plain"})
	p.publish(mqtt.Publish{Topic: "no"})
	p.publish(mqtt.Publish{Topic: "as", Retain: true, Payload: []byte("x")})
	if m := p.receive(); m.Topic != "as" || !m.Retain {
		t.Fatalf("%+v", m)
	}
	p.publish(mqtt.Publish{Topic: "plain", Retain: true, Payload: []byte("x")})
	if m := p.receive(); m.Topic != "plain" || m.Retain {
		t.Fatalf("%+v", m)
	}
}

func TestReceiveMaximumHoldsMessagesBackInOrder(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint("kept ", keep), func(t *testing.T) {
			r := brokertest.Start(t)
			props := &mqtt.Properties{Has: mqtt.ReceiveMaximum, ReceiveMaximum: 2}
			if keep {
				props.Has |= mqtt.SessionExpiryInterval
				props.SessionExpiryInterval = 100
			}
			sub := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "sub", CleanStart: true, Properties: props})
			sub.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
			pub := clean(t, r, "pub", mqtt.V311)
			for i := range 20 {
				pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: fmt.Append(nil, i)})
			}
			var unacked []uint16
			for i := range 20 {
				m := expect[*mqtt.Publish](sub)
				equal(t, "payload", string(m.Payload), fmt.Sprint(i))
				unacked = append(unacked, m.PacketID)
				if len(unacked) == 2 {
					sub.quiet()
					sub.send(&mqtt.Puback{PacketID: unacked[0]}, &mqtt.Puback{PacketID: unacked[1]})
					unacked = nil
				}
			}
			sub.quiet()
		})
	}
}

func TestPropertiesTravelEndToEnd(t *testing.T) {
	r := brokertest.Start(t)
	sub := clean(t, r, "sub", mqtt.V5)
	sub.subscribe(mqtt.Filter{Filter: "#", QoS: 1})
	pub := clean(t, r, "pub", mqtt.V5)
	const all = mqtt.PayloadFormatIndicator | mqtt.ContentType | mqtt.ResponseTopic | mqtt.CorrelationData | mqtt.MessageExpiryInterval
	in := mqtt.Properties{
		Has: all | mqtt.TopicAlias, PayloadFormatIndicator: 1, ContentType: "text/plain", ResponseTopic: "re", CorrelationData: []byte("id"),
		MessageExpiryInterval: 100, TopicAlias: 5, User: []mqtt.UserProperty{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}},
	}
	pub.publish(mqtt.Publish{Topic: "t", QoS: 1, Properties: &in})
	pub.publish(mqtt.Publish{QoS: 1, Properties: &mqtt.Properties{Has: mqtt.TopicAlias, TopicAlias: 5}})
	want := in
	want.Has, want.TopicAlias = all, 0
	got := sub.receive()
	equal(t, "expiry", got.Properties.MessageExpiryInterval == 100 || got.Properties.MessageExpiryInterval == 99, true)
	got.Properties.MessageExpiryInterval = 100
	equal(t, "properties", *got.Properties, want)
	if m := sub.receive(); m.Topic != "t" || m.Properties != nil {
		t.Fatalf("by alias: %+v", m)
	}
}

func TestTooLargeForOneSubscriberIsSkippedForThatOne(t *testing.T) {
	r := brokertest.Start(t)
	small := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "small", CleanStart: true, Properties: &mqtt.Properties{Has: mqtt.MaximumPacketSize, MaximumPacketSize: 100}})
	large := clean(t, r, "large", mqtt.V5)
	small.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	large.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	pub := clean(t, r, "pub", mqtt.V311)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: make([]byte, 200)})
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: []byte("x")})
	equal(t, "small gets", len(small.receive().Payload), 1)
	equal(t, "large gets", len(large.receive().Payload), 200)
	equal(t, "dropped", r.Stats().Dropped, uint64(1))
}

func TestWhoDoesNotReadHoldsUpNobody(t *testing.T) {
	const limit = 64 << 10
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.QueueBytes = limit }))
	deaf0, deaf1, good := clean(t, r, "deaf0", mqtt.V5), clean(t, r, "deaf1", mqtt.V5), clean(t, r, "good", mqtt.V311)
	deaf0.subscribe(mqtt.Filter{Filter: "a"})
	deaf1.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	good.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	pub := clean(t, r, "pub", mqtt.V311)
	payload := []byte(strings.Repeat("x", 50_000))
	sent := 0
	for r.Stats().Dropped == 0 || r.Stats().Overflows == 0 {
		pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: payload})
		good.receive()
		if sent++; sent > 2000 {
			t.Fatalf("no bound reached after %d messages: %+v", sent, r.Stats())
		}
	}
	deaf1.expectEnd(mqtt.QuotaExceeded)
	// The one with QoS 0 lives: it lost messages, and gets later ones again once it reads.
	eventually(t, "deaf0 caught up", func() bool {
		for {
			if _, err := deaf0.next(1e6); err != nil {
				break
			}
		}
		before := r.Stats().Dropped
		pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: []byte("later")})
		good.receive()
		return r.Stats().Dropped == before
	})
}
