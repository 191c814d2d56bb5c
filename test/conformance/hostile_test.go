package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/codec/mqtt"
)

// attack is what hostile clients do. They get what the standard or a limit says, and a client beside them notices nothing.
type attack struct {
	name     string
	versions []mqtt.Version
	limits   func(l *broker.Limits) // nil: the default ones
	run      func(s *script)
}

// TestHostile tries every frame, greeting and attack beside a bystander.
func TestHostile(t *testing.T) {
	list := attacks
	for _, f := range frames {
		list = append(list, attack{f.name, f.versions, nil, func(s *script) {
			c := s.connect()
			c.send(f.bytes(s))
			c.closed(f.codes...)
		}})
	}
	for _, f := range greetings {
		list = append(list, attack{f.name, f.versions, nil, func(s *script) {
			c := s.dial(0)
			c.send(f.bytes(s))
			if s.version == mqtt.V5 && f.codes != nil {
				c.refused(f.codes...)
			} else {
				c.ended()
			}
		}})
	}
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			for _, v := range a.versions {
				t.Run(v.String(), func(t *testing.T) { play(t, a.name, v, a.beside) })
			}
		})
	}
}

// beside runs the attack while a publisher and a subscriber are at work.
func (a attack) beside(s *script) {
	if a.limits != nil {
		s.start(func(c *broker.Config) { a.limits(&c.Limits) })
	}
	pub, sub, topic := s.connect(), s.connect(), unique("bystander/")
	sub.subscribe(topic, 1)
	pub.publish(topic, "before", 1)
	sub.take(sub.message(topic, "before"))
	a.run(s)
	pub.publish(topic, "after", 1)
	sub.take(sub.message(topic, "after"))
	pub.quiet()
	sub.quiet()
}

var attacks = []attack{
	{"protocol levels", all, nil, func(s *script) {
		for _, level := range []int{0, 1, 2, 6, 9, 0x83, 0x84, 0x85, 255} {
			c := s.dial(0)
			c.send(packet(0x10, "MQTT", level, 2, uint16(60), 0, "c"))
			c.turnedAway()
		}
	}},
	{"nothing that is MQTT", all, nil, func(s *script) {
		for _, text := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\r\n\r\n", "SSH-2.0-x\r\n"} {
			c := s.dial(0)
			c.send([]byte(text))
			c.ended()
		}
	}},
	{"silence before CONNECT", all, soonLate, func(s *script) {
		whole := s.rawConnect(2)
		for _, sent := range [][]byte{nil, whole[:1], whole[:9], whole[:len(whole)-1]} {
			c := s.dial(0)
			c.send(sent)
			c.ended()
		}
	}},
	{"a byte now and then before CONNECT", all, soonLate, func(s *script) { // the time to CONNECT is not begun anew by bytes
		c := s.dial(0)
		begun := time.Now()
		for _, b := range packet(0x10, s.protocol(), 2, uint16(60), s.props(), strings.Repeat("x", 1000)) {
			other := s.dial(0) // takes as long as a client gets to say CONNECT
			other.ended()
			if c.SendBytes([]byte{b}) != nil {
				return
			}
			s.check(time.Since(begun) < patience, "the connection is still open")
		}
	}},
	{"PUBREL that belongs to nothing", all, nil, func(s *script) {
		c := s.connect()
		for range 100 {
			c.send(&mqtt.Pubrel{PacketID: 9})
			comp := want[*mqtt.Pubcomp](c)
			s.check(comp.PacketID == 9 && (s.version != mqtt.V5 || comp.Code == mqtt.PacketIdentifierNotFound), "%s", show(comp))
		}
	}},
	{"PUBACK and PUBCOMP that belong to nothing", all, nil, func(s *script) {
		c := s.connect()
		for _, id := range []uint16{1, 60000, 60001, 65535} {
			c.send(&mqtt.Puback{PacketID: id}, &mqtt.Pubcomp{PacketID: id})
		}
		c.quiet()
	}},
	{"10,000 filters", all, nil, func(s *script) {
		c := s.connect()
		var filters []mqtt.Filter
		var names []string
		for i := range 10_000 {
			names = append(names, fmt.Sprintf("%s/%d", s.topic, i))
			filters = append(filters, mqtt.Filter{Filter: names[i]})
		}
		codes := c.filters(nil, filters...)
		failure := mqtt.QuotaExceeded
		if s.version != mqtt.V5 {
			failure = mqtt.UnspecifiedError
		}
		s.check(len(codes) == 10_000 && codes[0] == 0 && codes[9999] == failure, "%d codes, the last is %v", len(codes), codes[len(codes)-1])
		c.unsubscribe(names...)
		c.subscribe(names[9999], 0)
	}},
	{"topic of 65,535 levels", all, nil, func(s *script) {
		c, name := s.connect(), strings.Repeat("/", 65535-1)
		c.subscribe(s.topic+"/#", 0)
		c.publish(name, "", 1, retained)
		codes := c.filters(nil, mqtt.Filter{Filter: name})
		s.check(len(codes) == 1, "%v", codes) // granted or not, it is answered
	}},
	{"filters made to be slow", all, nil, func(s *script) { // every way through the tree matches
		c := s.connect()
		const depth = 9
		for n := range 1 << depth {
			filter := ""
			for i := range depth {
				if n>>i&1 == 1 {
					filter += "+/"
				} else {
					filter += "a/"
				}
			}
			c.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: filter + "#"}}})
			want[*mqtt.Suback](c)
		}
		pub := s.connect()
		name := strings.Repeat("a/", 30000)
		for range 100 {
			pub.publish(name, "", 1)
			m := want[*mqtt.Publish](c)
			s.check(m.Topic == name, "topic")
		}
	}},
	{"session flood", all, func(l *broker.Limits) { l.Sessions = 20 }, func(s *script) {
		refusal := mqtt.QuotaExceeded
		if s.version != mqtt.V5 {
			refusal = mqtt.ServerUnavailable
		}
		left := 18 // and the bystanders
		for range left {
			s.connect(durable(unique("c"))).leave()
		}
		for range 30 {
			s.ask(durable(unique("c"))).refused(refusal)
		}
	}},
	{"connection flood", all, func(l *broker.Limits) { l.Connections = 10 }, func(s *script) {
		var open []*peer
		for range 8 { // and the bystanders
			open = append(open, s.connect())
		}
		for range 50 {
			s.dial(0).ended()
		}
		for _, c := range open {
			c.quiet()
		}
	}},
	{"retained flood", all, func(l *broker.Limits) { l.RetainedMessages = 30; l.RetainedBytes = 1 << 20 }, func(s *script) {
		live, pub := s.connect(), s.connect()
		live.subscribe(s.topic+"/#", 0)
		for i := range 100 {
			name := fmt.Sprintf("%s/%d", s.topic, i)
			pub.publish(name, "x", 1, retained)
			live.message(name, "x")
		}
		late := s.connect()
		late.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: s.topic + "/#"}}}, &mqtt.Pingreq{})
		n := 0
		for {
			p, err := late.next()
			s.check(err == nil, "%v", err)
			if p.Type() == mqtt.PINGRESP {
				break
			}
			if p.Type() == mqtt.PUBLISH {
				n++
			}
		}
		s.check(n <= 30, "%d messages were retained", n)
	}},
	{"takeover ping-pong", all, nil, func(s *script) {
		id := unique("c")
		var all []*peer
		for i := range 100 {
			how := durable(id)
			if i%3 == 0 {
				how = named(id)
			}
			all = append(all, s.connect(how))
		}
		for _, c := range all[:99] {
			c.closed(mqtt.SessionTakenOver)
		}
		all[99].quiet()
	}},
	{"a reader who does not read", all, func(l *broker.Limits) { l.QueueMessages = 100; l.QueueBytes = 256 << 10 }, func(s *script) {
		const n = 12_000 // more than sockets hold
		hogs := []*peer{s.connect(), s.connect(), s.connect(durable(unique("c")))}
		for i, c := range hogs {
			c.subscribe(s.topic, byte(min(i, 1)))
		}
		pub, payload := s.connect(), strings.Repeat("x", 1000)
		for range n {
			pub.publish(s.topic, payload, 1)
		}
		hogs[1].drain() // QoS 1 without a session: ended, nothing is dropped behind its back
		hogs[0].drop()
		hogs[2].drop()
	}},
	{"a publisher who does not read", all, nil, func(s *script) {
		c := s.connect()
		c.send(join(packet(0x82, uint16(1), s.props(), s.topic, 0), packet(0x32, s.topic, uint16(1), s.props(), 'x')))
		for range 1000 {
			c.send(packet(0x32, s.topic, uint16(1), s.props(), []byte(strings.Repeat("x", 1000))))
		}
		c.drop()
	}},
	{"closed in every state", all, nil, func(s *script) {
		connect, id := s.rawConnect(2), unique("c")
		publish := packet(0x34, s.topic, uint16(7), s.props(), 'x')
		whole := join(connect, packet(0x82, uint16(1), s.props(), s.topic, 2), publish, publish, packet(0x62, uint16(7)), []byte{0xC0, 0}, []byte{0xE0, 0})
		for cut := range len(whole) + 1 {
			c := s.dial(0)
			c.send(whole[:cut])
			c.drop()
		}
		for range 20 {
			c := s.ask(durable(id))
			c.send(publish)
			c.drop()
		}
	}},
	{"huge will", all, nil, func(s *script) { // as large as it may be
		w := s.connect()
		w.subscribe(s.topic, 0)
		payload := strings.Repeat("x", 65535)
		s.connect(willed(mqtt.Will{Topic: s.topic, Payload: []byte(payload)})).drop()
		w.message(s.topic, payload)
	}},
	{"will to $SYS", all, nil, func(s *script) {
		s.ask(willed(mqtt.Will{Topic: "$SYS/broker/version", Payload: []byte("mine"), Retain: true})).refused(mqtt.NotAuthorized, mqtt.TopicNameInvalid)
	}},
	{"pings without end", all, nil, func(s *script) { // answers that nobody reads are bounded
		c := s.connect()
		for range 200 {
			if c.SendBytes([]byte(strings.Repeat("\xc0\x00", 5000))) != nil {
				break
			}
		}
		c.drop()
	}},
	{"data behind the end", all, nil, func(s *script) { // unread bytes do not cost the client its reason
		c := s.connect()
		b := []byte{0xC1, 0}
		for range 200 {
			b = append(b, packet(0x30, s.topic, s.props(), []byte(strings.Repeat("x", 1000)))...)
		}
		c.send(b)
		c.closed(mqtt.MalformedPacket)
	}},
}

// soonLate leaves little time for CONNECT.
func soonLate(l *broker.Limits) { l.ConnectTimeout = 300 * time.Millisecond }

// drain reads until the server ends the connection.
func (p *peer) drain() {
	for {
		got, err := p.next()
		if err != nil {
			return
		}
		if bye, ok := got.(*mqtt.Disconnect); ok {
			p.s.check(bye.Code == mqtt.QuotaExceeded, "%s", show(bye))
		}
	}
}
