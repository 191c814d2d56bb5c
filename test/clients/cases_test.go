package clients

import (
	"bytes"
	"slices"
	"time"
)

// cases is what every client must be able to do with edged.
var cases = []struct {
	name  string
	only5 bool
	play  func(s *scene)
}{
	{"every QoS to every QoS", false, everyQoS},
	{"retained", false, retained},
	{"will", false, will},
	{"persistent session", false, persistentSession},
	{"properties", true, properties},
	{"message expiry", true, messageExpiry},
	{"topic alias to the server", true, aliasToServer},
	{"topic alias to the client", true, aliasToClient},
	{"subscription identifier", true, subscriptionIdentifier},
	{"shared subscription", true, sharedSubscription},
	{"refused publish", true, refusedPublish},
}

func everyQoS(s *scene) {
	pub := s.new("pub")
	payloads := [][]byte{{}, []byte("21.5"), bytes.Repeat([]byte("0123456789"), 30_000)}
	for subQoS := range byte(3) {
		sub := s.new("sub" + string('0'+rune(subQoS)))
		s.subscribe(sub, s.base+"/+", subQoS)
		for qos := range byte(3) {
			for _, payload := range payloads {
				m := message{Topic: s.base + "/a", Payload: payload, QoS: qos}
				s.publish(pub, m)
				m.QoS = min(qos, subQoS)
				s.expect(sub, m)
			}
		}
		s.end(sub, false)
	}
}

func retained(s *scene) {
	pub, topic := s.new("pub"), s.base+"/a"
	s.publish(pub, message{Topic: topic, Payload: []byte("old"), QoS: 1, Retain: true})
	s.publish(pub, message{Topic: topic, Payload: []byte("kept"), QoS: 1, Retain: true})
	sub := s.new("sub")
	s.subscribe(sub, topic, 1)
	s.expect(sub, message{Topic: topic, Payload: []byte("kept"), QoS: 1, Retain: true})
	s.publish(pub, message{Topic: topic, QoS: 1, Retain: true}) // empty: cleared
	s.expect(sub, message{Topic: topic, QoS: 1})
	late := s.new("late")
	s.subscribe(late, topic, 1)
	s.publish(pub, message{Topic: topic, Payload: []byte("live"), QoS: 1})
	s.expect(late, message{Topic: topic, Payload: []byte("live"), QoS: 1}) // and nothing before it
}

func will(s *scene) {
	sub, topic := s.new("sub"), s.base+"/will"
	s.subscribe(sub, topic, 2)
	c, _ := s.open("orderly", options{Will: &message{Topic: topic, Payload: []byte("must not come"), QoS: 2}})
	s.end(c, false)
	c, _ = s.open("mortal", options{Will: &message{Topic: topic, Payload: []byte("lost"), QoS: 2}})
	s.end(c, true)
	s.expect(sub, message{Topic: topic, Payload: []byte("lost"), QoS: 2})
}

func persistentSession(s *scene) {
	pub, topic := s.new("pub"), s.base+"/a"
	sub, present := s.open("sub", options{Persistent: true})
	if present {
		s.Error("the session is there before it began")
	}
	s.subscribe(sub, topic, 2)
	s.end(sub, false)
	for qos := range byte(3) {
		s.publish(pub, message{Topic: topic, Payload: []byte{'0' + qos}, QoS: qos})
	}
	sub, present = s.open("sub", options{Persistent: true})
	if !present && s.version > 3 { // 3.1 has no such flag
		s.Error("the session is not there")
	}
	s.publish(pub, message{Topic: topic, Payload: []byte("live"), QoS: 2}) // QoS 2, since MQTT.js hands out one that is not released after a QoS 1 behind it
	next := s.receive(sub)
	if next.QoS == 0 { // a QoS 0 message may be kept, or not (MQTT-3.1.2-5 of 3.1.1)
		next = s.receive(sub)
	}
	if string(next.Payload) != "1" || next.QoS != 1 {
		s.Fatalf("after the absence came %v %q, want the QoS 1 message", next, next.Payload)
	}
	s.expect(sub, message{Topic: topic, Payload: []byte("2"), QoS: 2})
	s.expect(sub, message{Topic: topic, Payload: []byte("live"), QoS: 2})
}

func properties(s *scene) {
	c := s.new("c")
	s.subscribe(c, s.base+"/request", 1)
	want := message{
		Topic: s.base + "/request", Payload: []byte("{}"), QoS: 1,
		// MQTT.js keeps the order of the first of each name, and of the values of one.
		User:          [][2]string{{"z", "1"}, {"z", "2"}, {"a", ""}, {"m", "ö"}},
		ResponseTopic: s.base + "/response", Correlation: []byte{0, 0xff, 1}, ContentType: "application/json",
	}
	s.publish(c, want)
	got := s.expect(c, want)
	if !slices.Equal(got.User, want.User) || got.ResponseTopic != want.ResponseTopic || !bytes.Equal(got.Correlation, want.Correlation) || got.ContentType != want.ContentType {
		s.Errorf("got %+v, want %+v", got, want)
	}
}

// messageExpiry asks for a retained message until the time it has left is less.
func messageExpiry(s *scene) {
	const expiry = 1000
	m := message{Topic: s.base + "/a", Payload: []byte("x"), QoS: 1, Retain: true, Expiry: expiry}
	c := s.new("c")
	s.publish(c, m)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		s.subscribe(c, m.Topic, 1)
		switch got := s.expect(c, m); {
		case got.Expiry == 0 || got.Expiry > expiry || got.Expiry < expiry-uint32(patience/time.Second):
			s.Fatalf("%d seconds are left", got.Expiry)
		case got.Expiry < expiry:
			return
		case time.Now().After(deadline):
			s.Fatal("the message expiry interval does not go down")
		}
	}
}

func aliasToServer(s *scene) {
	c, topic := s.new("c"), s.base+"/a"
	s.subscribe(c, topic, 1)
	for i, name := range []string{topic, "", ""} {
		payload := []byte{'0' + byte(i)}
		s.publish(c, message{Topic: name, Alias: 1, Payload: payload, QoS: 1})
		s.expect(c, message{Topic: topic, Payload: payload, QoS: 1})
	}
}

func aliasToClient(s *scene) {
	c, _ := s.open("c", options{Aliases: 10})
	s.subscribe(c, s.base+"/#", 1)
	for i := range 4 {
		m := message{Topic: s.base + "/a/topic/" + string('a'+rune(i%2)), Payload: []byte("x"), QoS: 1}
		s.publish(c, m)
		if got := s.expect(c, m); got.Alias == 0 || got.Alias > 10 {
			s.Errorf("%v came with topic alias %d", got, got.Alias)
		}
	}
}

func subscriptionIdentifier(s *scene) {
	c := s.new("c")
	s.subscribeAs(c, s.base+"/a", 1, 7)
	s.subscribeAs(c, s.base+"/b", 1, 268_435_455)
	for name, id := range map[string]int{"/a": 7, "/b": 268_435_455} {
		m := message{Topic: s.base + name, Payload: []byte("x"), QoS: 1}
		s.publish(c, m)
		if got := s.expect(c, m); got.Subscription != id {
			s.Errorf("%s has subscription identifier %d, want %d", m.Topic, got.Subscription, id)
		}
	}
}

func sharedSubscription(s *scene) {
	const n = 20
	a, b, pub, topic := s.new("a"), s.new("b"), s.new("pub"), s.base+"/a"
	for _, c := range []client{a, b} {
		s.subscribe(c, "$share/group/"+topic, 1)
	}
	for i := range byte(n) {
		s.publish(pub, message{Topic: topic, Payload: []byte{i}, QoS: 1})
	}
	// The last that comes to each member shows that it has all of its share.
	s.subscribe(a, topic+"/end", 1)
	s.subscribe(b, topic+"/end", 1)
	s.publish(pub, message{Topic: topic + "/end", QoS: 1})
	var got []byte
	for name, c := range map[string]client{"a": a, "b": b} {
		m, before := s.receive(c), len(got)
		for ; m.Topic == topic; m = s.receive(c) {
			got = append(got, m.Payload...)
		}
		if len(got) == before {
			s.Errorf("member %s got nothing", name)
		}
	}
	slices.Sort(got)
	for i := range byte(n) {
		if len(got) != n || got[i] != i {
			s.Fatalf("the members got %v, want each of %d once", got, n)
		}
	}
}

func refusedPublish(s *scene) {
	c := s.new("c")
	for _, qos := range []byte{1, 2} {
		if code, err := c.publish(message{Topic: "$SYS/x", Payload: []byte("x"), QoS: qos}); err != nil || code != 0x87 {
			s.Errorf("QoS %d: code %#x, %v; want 0x87, Not authorized", qos, code, err)
		}
	}
	s.publish(c, message{Topic: s.base + "/a", QoS: 1}) // the connection goes on
}
