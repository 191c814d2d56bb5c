package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

func TestTakeover(t *testing.T) {
	r := brokertest.Start(t)
	watch := clean(t, r, "watch", mqtt.V311)
	watch.subscribe(mqtt.Filter{Filter: "will/#"})
	for _, v := range versions {
		first := connect(t, r, mqtt.Connect{Version: v, ClientID: "x", CleanStart: true, Will: &mqtt.Will{Topic: "will/x", Payload: []byte("taken over")}})
		clean(t, r, "x", mqtt.V311).quiet()
		first.expectEnd(mqtt.SessionTakenOver)
		equal(t, "will", string(watch.receive().Payload), "taken over")
	}
	equal(t, "sessions", r.Stats().Sessions, 2)
}

func TestTwoClientsOfOneNameGoOnForever(t *testing.T) {
	r := brokertest.Start(t)
	last := kept(t, r, "x", mqtt.V5)
	last.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	for i := range 30 {
		next := kept(t, r, "x", versions[i%3])
		last.expectEnd(mqtt.SessionTakenOver)
		last = next
		clean(t, r, "pub", mqtt.V311).publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: fmt.Append(nil, i)})
		equal(t, "payload", string(last.receive().Payload), fmt.Sprint(i))
		last.quiet()
	}
}

func TestWillComesOnlyAfterAnAbnormalEnd(t *testing.T) {
	r := brokertest.Start(t)
	watch := clean(t, r, "watch", mqtt.V5)
	watch.subscribe(mqtt.Filter{Filter: "will", QoS: 1})
	open := func() *peer {
		return connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "x", CleanStart: true, Will: &mqtt.Will{Topic: "will", QoS: 1, Retain: true, Payload: []byte("gone"), Properties: &mqtt.Properties{Has: mqtt.ContentType, ContentType: "c"}}})
	}
	open().disconnect()
	watch.quiet()
	open().nc.Close()
	if m := watch.receive(); string(m.Payload) != "gone" || m.Properties.ContentType != "c" {
		t.Fatalf("%+v", m)
	}
	x := open()
	x.send(&mqtt.Disconnect{Code: mqtt.DisconnectWithWillMessage})
	watch.receive()
	x = open()
	x.bytes([]byte{0xF1, 0}) // malformed
	x.expectEnd(mqtt.MalformedPacket)
	watch.receive()
	late := clean(t, r, "late", mqtt.V311)
	late.subscribe(mqtt.Filter{Filter: "will"})
	if m := late.receive(); !m.Retain {
		t.Fatal("the will is not retained")
	}
}

func TestCleanStartDeletesTheOldSession(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := kept(t, r, "sub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	sub.disconnect()
	pub := clean(t, r, "pub", mqtt.V311)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1})
	c := clean(t, r, "sub", mqtt.V311)
	equal(t, "session present", c.ack.SessionPresent, false)
	equal(t, "queues", len(store.Queues()), 0)
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1})
	c.quiet()
	c.disconnect()
	equal(t, "session present", kept(t, r, "sub", mqtt.V311).ack.SessionPresent, false)
}

func TestSessionsExpire(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	open := func(seconds uint32) *peer {
		return connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "x", Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: seconds}})
	}
	x := open(1)
	x.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	x.disconnect()
	x = open(1)
	equal(t, "session present within the interval", x.ack.SessionPresent, true)
	x.disconnect()
	eventually(t, "the session is gone", func() bool { return r.Stats().Sessions == 0 && len(store.Queues()) == 0 })
	x = open(1000)
	equal(t, "session present", x.ack.SessionPresent, false)
	x.send(&mqtt.Disconnect{Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval}}) // 0: at once
	eventually(t, "the session is gone", func() bool { return r.Stats().Sessions == 0 && len(store.Queues()) == 0 })

	x = clean(t, r, "x", mqtt.V5)
	x.send(&mqtt.Disconnect{Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 5}})
	x.expectEnd(mqtt.ProtocolError)

	x = open(1)
	x.disconnect()
	eventually(t, "the session is offline", func() bool { return r.Stats().Connected == 0 })
	r2 := brokertest.Start(t, brokertest.With(store.PowerCut()))
	eventually(t, "the session is gone after the restart", func() bool { return r2.Stats().Sessions == 0 })
}

func TestKeepAlive(t *testing.T) {
	r := brokertest.Start(t)
	x := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "x", CleanStart: true, KeepAlive: 1})
	idle := connect(t, r, mqtt.Connect{Version: mqtt.V311, ClientID: "idle", CleanStart: true})
	start := time.Now()
	x.expectEnd(mqtt.KeepAliveTimeout)
	if d := time.Since(start); d < 1400*time.Millisecond || d > 3500*time.Millisecond {
		t.Fatalf("ended after %v", d)
	}
	idle.quiet()
}

func TestSubscriptionsSurviveARestartInOrder(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	sub := kept(t, r, "sub", mqtt.V5)
	sub.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "a", QoS: 1}, {Filter: "b", QoS: 1}}, Properties: &mqtt.Properties{SubscriptionIdentifiers: []uint32{4}}})
	expect[*mqtt.Suback](sub)
	sub.send(&mqtt.Unsubscribe{PacketID: 2, Filters: []string{"b"}})
	expect[*mqtt.Unsuback](sub)
	r.Stop(t)
	sub.expectEnd(mqtt.ServerShuttingDown)
	r = brokertest.Start(t, brokertest.With(store))
	pub := clean(t, r, "pub", mqtt.V311)
	pub.publish(mqtt.Publish{Topic: "b", QoS: 1})
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1})
	sub = kept(t, r, "sub", mqtt.V5)
	m := sub.receive()
	equal(t, "topic", m.Topic, "a")
	equal(t, "identifiers", m.Properties.SubscriptionIdentifiers, []uint32{4})
	sub.quiet()
}

func TestStopTellsClientsAndSendsNoWills(t *testing.T) {
	r := brokertest.Start(t)
	watch := clean(t, r, "watch", mqtt.V5)
	watch.subscribe(mqtt.Filter{Filter: "will"})
	x := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "x", CleanStart: true, Will: &mqtt.Will{Topic: "will"}})
	half := dial(t, r)
	r.Stop(t)
	x.expectEnd(mqtt.ServerShuttingDown)
	half.expectEnd(0)
	m, err := watch.next(patience)
	if d, ok := m.(*mqtt.Disconnect); !ok || d.Code != mqtt.ServerShuttingDown {
		t.Fatalf("got %#v, %v", m, err)
	}
}

func TestLimits(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) {
		c.Limits.Sessions, c.Limits.Subscriptions, c.Limits.Connections = 2, 2, 3
		c.Limits.RetainedMessages, c.Limits.ConnectTimeout = 20, 200*time.Millisecond
		c.SysInterval = 0
	}))
	a := clean(t, r, "a", mqtt.V5)
	a.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "1"}, {Filter: "2"}, {Filter: "3"}, {Filter: "1", QoS: 1}}})
	equal(t, "SUBACK", expect[*mqtt.Suback](a).Codes, []mqtt.ReasonCode{0, 0, mqtt.QuotaExceeded, 1})
	clean(t, r, "b", mqtt.V311)
	c := dial(t, r)
	c.v = mqtt.V5
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c", CleanStart: true})
	equal(t, "CONNACK of one session too many", expect[*mqtt.Connack](c).Code, mqtt.QuotaExceeded)
	c.nc.Close()
	eventually(t, "closed", func() bool { return r.Stats().Refused == 1 })
	idle := dial(t, r) // may be refused at once while the last one is being forgotten; ends in any case
	idle.expectEnd(0)
	for i := range 30 {
		a.publish(mqtt.Publish{Topic: fmt.Sprint("r/", i), QoS: 1, Retain: true, Payload: []byte("x")})
	}
	if s := r.Stats(); s.Retained > 20 || s.NotRetained == 0 {
		t.Fatalf("%+v", s)
	}
}

func TestAnEndedSessionsQueueIsGoneBeforeItsNameIsUsedAgain(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	x := kept(t, r, "x", mqtt.V5)
	x.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	store.Hold()
	x.send(&mqtt.Disconnect{Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval}})
	eventually(t, "the deletion is submitted", func() bool { n, _, _ := store.Waiting(); return n == 2 })
	before := r.Stats().BytesReceived
	next := dial(t, r)
	next.v = mqtt.V5
	next.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "x", Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 100}})
	eventually(t, "the second CONNECT has arrived", func() bool { return r.Stats().BytesReceived > before })
	store.Release()
	equal(t, "session present", expect[*mqtt.Connack](next).SessionPresent, false)
	next.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	clean(t, r, "pub", mqtt.V311).publish(mqtt.Publish{Topic: "a", QoS: 1})
	next.receive()
	equal(t, "queues", len(store.Queues()), 1)
}
