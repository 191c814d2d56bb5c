package paho

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// chaos is a server that does what the standard allows, and what the world adds: it cuts connections at any byte, falls
// silent, and loses sessions.
type chaos struct {
	t  *testing.T
	ln net.Listener

	// onRelease delivers a QoS 2 message when its PUBREL comes, otherwise when its PUBLISH does: both are allowed
	// (MQTT 3.1.1 §4.3.3).
	onRelease bool
	// cutAfter is how many bytes a connection carries on average before it is cut, both ways together; 0: never cut.
	cutAfter int
	// stallOneIn: of so many cuts one is a silence instead.
	stallOneIn int
	// loseOneIn: of so many connects one finds its session gone.
	loseOneIn int

	mu        sync.Mutex
	session   *session
	delivered []string // payloads, in order
	commands  []string // payloads for the client, not yet sent
	retained  map[string]string
	conns     map[net.Conn]bool
	current   net.Conn // the connection that has the session; what others still hold unread is void (MQTT-3.1.4-2)
	connects  int
	losses    int
	stalls    int
	quiet     bool // no more mischief
	changed   chan struct{}
	done      sync.WaitGroup
}

// session is what the server knows of its only client.
type session struct {
	// ids are the QoS 2 identifiers in use, with the message when it is delivered on release.
	ids map[uint16]*mqtt.Publish
	// unknown: the client has not shown that it knows that this session is new. Should the connection end before, or the
	// edge's power fail before the news is on its disk, the next CONNACK has to say so again: with "session present" no
	// client of version 3.1.1 could know what was lost. See the package bridge's doc.
	unknown bool
	// down are messages for the client that it has not acknowledged.
	down   []*mqtt.Publish
	lastID uint16
}

func newSession() *session { return &session{ids: map[uint16]*mqtt.Publish{}, unknown: true} }

func newChaos(t *testing.T) *chaos {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &chaos{t: t, ln: ln, retained: map[string]string{}, conns: map[net.Conn]bool{}, changed: make(chan struct{}, 1)}
	return b
}

// start accepts connections until the test ends.
func (b *chaos) start() {
	b.done.Go(func() {
		for {
			c, err := b.ln.Accept()
			if err != nil {
				return
			}
			b.done.Go(func() { b.serve(c) })
		}
	})
	b.t.Cleanup(func() {
		b.ln.Close()
		b.dropAll()
		b.done.Wait()
	})
}

func (b *chaos) url() string { return "mqtt://" + b.ln.Addr().String() }

// dropAll cuts every connection.
func (b *chaos) dropAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.Close()
	}
}

func (b *chaos) got() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.delivered...)
}

// budget is how many bytes a connection may carry before something happens.
type budget struct {
	net.Conn
	mu    sync.Mutex
	left  int // negative: for ever
	stall bool
}

func (c *budget) spend(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left < 0 {
		return n
	}
	n = min(n, c.left)
	c.left -= n
	return n
}

func (c *budget) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		return n, err
	}
	if keep := c.spend(n); keep < n || keep == 0 {
		return keep, c.end()
	}
	return n, nil
}

func (c *budget) Write(p []byte) (int, error) {
	keep := c.spend(len(p))
	if keep > 0 {
		if n, err := c.Conn.Write(p[:keep]); err != nil {
			return n, err
		}
	}
	if keep < len(p) {
		return keep, c.end()
	}
	return keep, nil
}

// end cuts, or waits in silence until the client gives up.
func (c *budget) end() error {
	if c.stall {
		_, _ = io.Copy(io.Discard, c.Conn)
	}
	c.Conn.Close()
	return io.ErrUnexpectedEOF
}

func (b *chaos) admit(raw net.Conn) *budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &budget{Conn: raw, left: -1}
	if b.cutAfter > 0 && !b.quiet {
		c.left = 60 + rand.IntN(2*b.cutAfter)
		c.stall = b.stallOneIn > 0 && rand.IntN(b.stallOneIn) == 0
		if c.stall {
			b.stalls++
		}
	}
	b.conns[raw] = true
	b.connects++
	return c
}

func (b *chaos) serve(raw net.Conn) {
	c := b.admit(raw)
	defer func() {
		raw.Close()
		b.mu.Lock()
		delete(b.conns, raw)
		b.mu.Unlock()
	}()
	in := bufio.NewReader(c)
	for first := true; ; first = false {
		p, err := readPacket(in)
		if err != nil {
			return
		}
		if first != (p.Type() == mqtt.CONNECT) {
			b.t.Errorf("the first packet, or a later one, is a %v", p.Type())
			return
		}
		for _, answer := range b.answer(raw, p) {
			out, err := answer.Append(nil, mqtt.V311)
			if err != nil {
				b.t.Error(err)
				return
			}
			if _, err := c.Write(out); err != nil {
				return
			}
		}
		if p.Type() == mqtt.DISCONNECT {
			return
		}
	}
}

// answer does what a packet asks for. The state has changed by the time the answer is cut, as in the world.
func (b *chaos) answer(from net.Conn, p mqtt.Packet) []mqtt.Packet {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() {
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}()
	if _, connect := p.(*mqtt.Connect); connect {
		b.current = from
	} else if b.current != from {
		return nil
	} else {
		b.session.unknown = false
	}
	switch p := p.(type) {
	case *mqtt.Connect:
		if b.session != nil && b.loseOneIn > 0 && !b.quiet && !p.CleanStart && rand.IntN(b.loseOneIn) == 0 {
			b.session = nil
			b.losses++
		}
		present := b.session != nil && !b.session.unknown && !p.CleanStart
		if !present {
			b.session = newSession()
		}
		out := []mqtt.Packet{&mqtt.Connack{SessionPresent: present}}
		for _, m := range b.session.down {
			again := *m
			again.Dup = true
			out = append(out, &again)
		}
		return out
	case *mqtt.Publish:
		return b.publish(p)
	case *mqtt.Pubrel:
		if m := b.session.ids[p.PacketID]; m != nil && b.onRelease {
			b.deliver(m)
		}
		delete(b.session.ids, p.PacketID)
		return []mqtt.Packet{&mqtt.Pubcomp{PacketID: p.PacketID}}
	case *mqtt.Subscribe:
		codes := make([]mqtt.ReasonCode, len(p.Filters))
		for i, f := range p.Filters {
			codes[i] = mqtt.ReasonCode(f.QoS)
		}
		return append([]mqtt.Packet{&mqtt.Suback{PacketID: p.PacketID, Codes: codes}}, b.more()...)
	case *mqtt.Puback:
		for i, m := range b.session.down {
			if m.PacketID == p.PacketID {
				b.session.down = append(b.session.down[:i], b.session.down[i+1:]...)
				break
			}
		}
		return b.more()
	case *mqtt.Pingreq:
		return []mqtt.Packet{&mqtt.Pingresp{}}
	}
	return nil
}

// more sends the next commands, ten at a time.
func (b *chaos) more() (out []mqtt.Packet) {
	for len(b.session.down) < 10 && len(b.commands) > 0 {
		b.session.lastID++
		m := &mqtt.Publish{Topic: "commands/x", QoS: 1, PacketID: b.session.lastID, Payload: []byte(b.commands[0])}
		b.commands = b.commands[1:]
		b.session.down = append(b.session.down, m)
		out = append(out, m)
	}
	return out
}

func (b *chaos) publish(p *mqtt.Publish) []mqtt.Packet {
	switch p.QoS {
	case 0:
		b.deliver(p)
		return nil
	case 1:
		b.deliver(p)
		return []mqtt.Packet{&mqtt.Puback{PacketID: p.PacketID}}
	}
	if b.session.ids[p.PacketID] == nil {
		b.session.ids[p.PacketID] = p
		if !b.onRelease {
			b.deliver(p)
		}
	}
	return []mqtt.Packet{&mqtt.Pubrec{PacketID: p.PacketID}}
}

func (b *chaos) deliver(p *mqtt.Publish) {
	if p.Retain {
		b.retained[p.Topic] = string(p.Payload)
		return
	}
	b.delivered = append(b.delivered, string(p.Payload))
}

func readPacket(in *bufio.Reader) (mqtt.Packet, error) {
	var head []byte
	for {
		c, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		head = append(head, c)
		h, n, err := mqtt.ParseHeader(head)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		body := make([]byte, h.Length)
		if _, err := io.ReadFull(in, body); err != nil {
			return nil, err
		}
		return mqtt.Parse(h, body, mqtt.V311)
	}
}

// wait polls, and looks at once when the server's state has changed.
func (b *chaos) wait(limit time.Duration, what string, cond func() bool) {
	b.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for !cond() {
		select {
		case <-b.changed:
		case <-deadline.C:
			b.t.Fatalf("after %s still not: %s", limit, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func number(payload string) int { return int(binary.BigEndian.Uint32([]byte(payload))) }
