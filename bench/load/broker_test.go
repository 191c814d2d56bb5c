package load

import (
	"net"
	"sync"
	"testing"

	"github.com/edged/edged/bench/wire"
)

// broker is a tiny broker for one publisher at a time: it hands every PUBLISH to every subscriber at QoS 0, after a test
// had its way with it.
type broker struct {
	net.Listener
	wg sync.WaitGroup

	// deliver says what subscribers get when the nth publication (from 1) arrives; nil: the packet.
	deliver func(n int, packet []byte) [][]byte
	// answer replaces answers to packets of its types; nil, or a nil result: the proper answer.
	answer func(wire.Packet) []byte

	mu          sync.Mutex
	conns       []net.Conn
	subscribers []net.Conn
	n           int
}

func startBroker(t *testing.T, b *broker) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.Listener = l
	b.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns = append(b.conns, conn)
			b.mu.Unlock()
			b.wg.Go(func() { b.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.mu.Lock()
		for _, c := range b.conns {
			c.Close()
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	return l.Addr().String()
}

func (b *broker) serve(conn net.Conn) {
	defer conn.Close()
	buf, have := make([]byte, 1<<20), 0
	for {
		n, err := conn.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		for {
			p, n, err := wire.Next(buf[:have])
			if err != nil || n == 0 {
				break
			}
			b.handle(conn, p, buf[:n])
			have = copy(buf, buf[n:have])
		}
	}
}

func (b *broker) handle(conn net.Conn, p wire.Packet, raw []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answer != nil {
		if a := b.answer(p); a != nil {
			conn.Write(a)
			return
		}
	}
	switch p.Type {
	case wire.CONNECT:
		conn.Write([]byte{0x20, 2, 0, 0})
	case wire.SUBSCRIBE:
		b.subscribers = append(b.subscribers, conn)
		conn.Write([]byte{0x90, 3, p.Body[0], p.Body[1], 0})
	case wire.PUBREL:
		conn.Write(wire.AppendAck(nil, wire.PUBCOMP, p.ID()))
	case wire.PUBLISH:
		m, _ := p.Publish()
		switch m.QoS {
		case 1:
			conn.Write(wire.AppendAck(nil, wire.PUBACK, m.ID))
		case 2:
			conn.Write(wire.AppendAck(nil, wire.PUBREC, m.ID))
		}
		b.n++
		out := [][]byte{wire.AppendPublish(nil, string(m.Topic), m.Payload, 0, false, 0)}
		if b.deliver != nil {
			out = b.deliver(b.n, out[0])
		}
		for _, s := range b.subscribers {
			for _, packet := range out {
				s.Write(packet)
			}
		}
	}
}
