package broker_test

import (
	"testing"

	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

func TestRetained(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	pub := clean(t, r, "pub", mqtt.V5)
	put := func(topic, payload string, qos byte) {
		pub.publish(mqtt.Publish{Topic: topic, Payload: []byte(payload), QoS: qos, Retain: true})
	}
	put("a/1", "old", 1)
	put("a/1", "new", 0)
	put("a/2", "x", 2)
	put("a/3", "x", 1)
	put("a/3", "", 1) // removed
	put("b", "x", 0)
	check := func(r *brokertest.Running, open func(*testing.T, *brokertest.Running, string, mqtt.Version) *peer, id string) {
		t.Helper()
		sub := open(t, r, id, mqtt.V5)
		sub.subscribe(mqtt.Filter{Filter: "a/#", QoS: 2})
		got := map[string]string{}
		for range 2 {
			m := sub.receive()
			equal(t, "retain", m.Retain, true)
			got[m.Topic] = string(m.Payload)
		}
		sub.quiet()
		equal(t, "retained", got, map[string]string{"a/1": "new", "a/2": "x"})
	}
	check(r, clean, "clean")
	check(r, kept, "kept")
	r.Stop(t)
	r = brokertest.Start(t, brokertest.With(store))
	check(r, clean, "clean")
}

func TestRetainHandling(t *testing.T) {
	r := brokertest.Start(t)
	p := clean(t, r, "p", mqtt.V5)
	p.publish(mqtt.Publish{Topic: "a", Payload: []byte("x"), Retain: true})
	p.subscribe(mqtt.Filter{Filter: "a", RetainHandling: 2})
	p.quiet()
	p.subscribe(mqtt.Filter{Filter: "a", RetainHandling: 1})
	p.quiet()
	p.subscribe(mqtt.Filter{Filter: "a", RetainHandling: 0})
	p.receive()
	p.subscribe(mqtt.Filter{Filter: "+", RetainHandling: 1})
	p.receive()
	p.quiet()
}

func TestRetainedByQoS0IsOnDiskWithinSeconds(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	p := clean(t, r, "p", mqtt.V311)
	_, before, _ := store.Waiting()
	for range 100 {
		p.publish(mqtt.Publish{Topic: "a", Payload: []byte("x"), Retain: true})
	}
	p.publish(mqtt.Publish{Topic: "a", Payload: []byte("last"), Retain: true})
	eventually(t, "saved", func() bool { _, n, _ := store.Waiting(); return n > before })
	p.quiet()
	if _, n, _ := store.Waiting(); n > before+3 {
		t.Fatalf("%d commits for one topic", n-before)
	}
	r2 := brokertest.Start(t, brokertest.With(store.PowerCut()))
	p = clean(t, r2, "p", mqtt.V311)
	p.subscribe(mqtt.Filter{Filter: "a"})
	equal(t, "payload", string(p.receive().Payload), "last")
}

func TestSysIsPublishedAndRefusedToClients(t *testing.T) {
	r := brokertest.Start(t)
	p := clean(t, r, "p", mqtt.V5)
	p.send(&mqtt.Publish{Topic: "$SYS/broker/version", QoS: 1, PacketID: 1, Retain: true, Payload: []byte("fake")})
	equal(t, "PUBACK", expect[*mqtt.Puback](p).Code, mqtt.NotAuthorized)
	old := clean(t, r, "old", mqtt.V311)
	old.publish(mqtt.Publish{Topic: "$SYS/broker/version", QoS: 1, Retain: true, Payload: []byte("fake")}) // acknowledged, and dropped
	eventually(t, "published", func() bool { return r.Stats().Retained > 5 })
	p.subscribe(mqtt.Filter{Filter: "$SYS/broker/version"})
	equal(t, "version", string(p.receive().Payload), "edged version test")
	p.subscribe(mqtt.Filter{Filter: "#"})
	p.quiet() // # does not reach $SYS
}
