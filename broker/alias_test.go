package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// aliasing is a client who takes n topic aliases; its topics are found as those of a real client are.
type aliasing struct {
	*peer
	names map[uint16]string
	saved int // bytes of topics
}

func takesAliases(t *testing.T, r *brokertest.Running, id string, n uint16, maxPacket uint32) *aliasing {
	t.Helper()
	props := &mqtt.Properties{Has: mqtt.TopicAliasMaximum, TopicAliasMaximum: n}
	if maxPacket > 0 {
		props.Has |= mqtt.MaximumPacketSize
		props.MaximumPacketSize = maxPacket
	}
	return &aliasing{peer: connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: id, CleanStart: true, Properties: props}), names: map[uint16]string{}}
}

func (a *aliasing) receive() *mqtt.Publish {
	a.t.Helper()
	m := a.peer.receive()
	if m.Properties == nil || m.Properties.Has&mqtt.TopicAlias == 0 {
		if m.Topic == "" {
			a.t.Fatal("neither topic nor alias")
		}
		return m
	}
	if m.Topic != "" {
		a.names[m.Properties.TopicAlias] = m.Topic
		return m
	}
	m.Topic = a.names[m.Properties.TopicAlias]
	a.saved += len(m.Topic)
	return m
}

func TestTopicAliasesTowardsTheClient(t *testing.T) {
	for qos := range byte(3) {
		r := brokertest.Start(t)
		a, plain := takesAliases(t, r, "a", 2, 0), clean(t, r, "plain", mqtt.V5)
		a.subscribe(mqtt.Filter{Filter: "#", QoS: qos})
		plain.subscribe(mqtt.Filter{Filter: "#", QoS: qos})
		pub := clean(t, r, "pub", mqtt.V311)
		for i := range 60 { // two that repeat among others that do not
			for _, topic := range []string{"sensors/boiler", "sensors/valve", fmt.Sprintf("once/%d", i), "tiny"} {
				pub.publish(mqtt.Publish{Topic: topic, QoS: qos, Payload: []byte(topic)})
				m := a.receive()
				equal(t, "topic", m.Topic, topic)
				equal(t, "payload", string(m.Payload), topic)
				if m.Properties != nil && m.Properties.TopicAlias > 2 {
					t.Fatalf("alias %d, 2 is the maximum", m.Properties.TopicAlias)
				}
				if p := plain.receive(); p.Topic != topic || p.Properties != nil {
					t.Fatalf("a client that takes no aliases got %+v", p)
				}
			}
		}
		if a.saved < 600 {
			t.Errorf("QoS %d: %d bytes saved", qos, a.saved)
		}
		r.Stop(t)
	}
}

func TestAnAliasThatDoesNotFitIsLeftOut(t *testing.T) {
	r := brokertest.Start(t)
	a := takesAliases(t, r, "a", 10, 60)
	a.subscribe(mqtt.Filter{Filter: "#"})
	pub := clean(t, r, "pub", mqtt.V311)
	name := strings.Repeat("t", 20)
	for size := 30; size < 40; size++ {
		pub.publish(mqtt.Publish{Topic: name, Payload: []byte(strings.Repeat("x", size))})
		pub.publish(mqtt.Publish{Topic: "z"})
	}
	sizes := 0
	for {
		m := a.receive()
		if m.Topic == name {
			sizes = len(m.Payload)
		} else if sizes == 35 { // 1+1+2+20+1+35 = 60
			break
		}
	}
	for range 4 {
		equal(t, "topic", a.receive().Topic, "z")
	}
	equal(t, "too large", r.Stats().Dropped, uint64(4))
}

func TestAliasesOfAQueue(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.Inflight = 3 }))
	p := mqtt.Connect{Version: mqtt.V5, ClientID: "a", Properties: &mqtt.Properties{
		Has: mqtt.TopicAliasMaximum | mqtt.SessionExpiryInterval, TopicAliasMaximum: 10, SessionExpiryInterval: 100,
	}}
	for range 2 { // aliases end with the connection (MQTT-3.3.2-7)
		a := &aliasing{peer: connect(t, r, p), names: map[uint16]string{}}
		a.subscribe(mqtt.Filter{Filter: "#", QoS: 2})
		pub := clean(t, r, "pub", mqtt.V311)
		for i := range 20 {
			pub.publish(mqtt.Publish{Topic: "sensors/boiler", QoS: 1, Payload: fmt.Append(nil, i)})
		}
		for i := range 20 {
			m := a.receive()
			equal(t, "payload", string(m.Payload), fmt.Sprint(i))
			equal(t, "topic", m.Topic, "sensors/boiler")
		}
		a.quiet()
		equal(t, "saved", a.saved, 19*len("sensors/boiler"))
		a.disconnect()
	}
}
