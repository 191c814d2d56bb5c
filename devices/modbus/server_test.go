package modbus

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// server is a Modbus TCP server with faults. Register n of a table holds what its memory says.
type server struct {
	net.Listener
	mu        sync.Mutex
	bits      [2][]bool   // coils, discrete inputs
	registers [2][]uint16 // input, holding
	// respond may replace or reorder what goes out for a request; nil: reply as it should be. An empty result says
	// nothing; close closes the connection afterwards.
	respond func(request, reply []byte) (out []byte, close bool)
	// missing addresses are answered with exception 2.
	missing map[uint16]bool
	seen    [][]byte // requests, from the function code on
	conns   map[net.Conn]bool
	open    sync.WaitGroup
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{conns: map[net.Conn]bool{}, missing: map[uint16]bool{}}
	for i := range s.bits {
		s.bits[i], s.registers[i] = make([]bool, 0x10000), make([]uint16, 0x10000)
	}
	s.listen(t, "127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

func (s *server) listen(t testing.TB, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	s.open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[c] = true
			s.mu.Unlock()
			s.open.Go(func() { s.serve(c) })
		}
	})
}

// stop takes the server away with its connections; listen brings it back.
func (s *server) stop() {
	_ = s.Close()
	s.hangUp()
	s.open.Wait()
}

// hangUp closes all connections.
func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func (s *server) url() string { return "tcp://" + s.Addr().String() }

func (s *server) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	for {
		header := make([]byte, 7)
		if _, err := io.ReadFull(c, header); err != nil {
			return
		}
		pdu := make([]byte, binary.BigEndian.Uint16(header[4:])-1)
		if _, err := io.ReadFull(c, pdu); err != nil {
			return
		}
		s.mu.Lock()
		s.seen = append(s.seen, pdu)
		out := frame(binary.BigEndian.Uint16(header), header[6], s.reply(pdu))
		respond := s.respond
		s.mu.Unlock()
		hangUp := false
		if respond != nil {
			out, hangUp = respond(append(header, pdu...), out)
		}
		if _, err := c.Write(out); err != nil || hangUp {
			return
		}
	}
}

// frame puts a header before a PDU.
func frame(id uint16, unit byte, pdu []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	b = append(b, 0, 0, 0, byte(1+len(pdu)), unit)
	return append(b, pdu...)
}

// reply is the right answer to a request.
func (s *server) reply(pdu []byte) []byte {
	function, start, n := pdu[0], binary.BigEndian.Uint16(pdu[1:]), int(binary.BigEndian.Uint16(pdu[3:]))
	span := n
	if function == 5 || function == 6 {
		span = 1
	}
	for i := range span {
		if s.missing[start+uint16(i)] {
			return []byte{function | 0x80, 2}
		}
	}
	switch function {
	case 1, 2:
		data := make([]byte, (n+7)/8)
		for i := range n {
			if s.bits[function-1][int(start)+i] {
				data[i/8] |= 1 << (i % 8)
			}
		}
		return append([]byte{function, byte(len(data))}, data...)
	case 3, 4:
		out := []byte{function, byte(2 * n)}
		for i := range n {
			out = binary.BigEndian.AppendUint16(out, s.registers[4-function][int(start)+i])
		}
		return out
	case 5:
		s.bits[0][start] = n == 0xFF00
		return pdu
	case 6:
		s.registers[1][start] = uint16(n)
		return pdu
	case 15:
		for i := range n {
			s.bits[0][int(start)+i] = pdu[6+i/8]>>(i%8)&1 != 0
		}
	case 16:
		for i := range n {
			s.registers[1][int(start)+i] = binary.BigEndian.Uint16(pdu[6+2*i:])
		}
	default:
		return []byte{function | 0x80, 1}
	}
	return pdu[:5]
}

// setHolding writes holding registers.
func (s *server) setHolding(start int, values ...uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	copy(s.registers[1][start:], values)
}

func (s *server) setRespond(f func(request, reply []byte) ([]byte, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond = f
}

// requests returns the requests seen so far and forgets them.
func (s *server) requests() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}
