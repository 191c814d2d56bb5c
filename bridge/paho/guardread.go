package paho

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/edged/edged/codec/topic"
)

// Read gives paho the packets that are for it, each only when it has come as a whole and is well-formed: paho allocates
// what a header claims, and indexes by what a SUBACK claims.
func (g *guard) Read(p []byte) (int, error) {
	for len(g.left) == 0 {
		if err := g.next(); err != nil {
			switch {
			case errors.Is(err, io.EOF):
				err = errServerClosed
			case errors.Is(err, io.ErrUnexpectedEOF):
				err = errors.New("the server closed the connection in the middle of a packet")
			}
			g.fail(err)
			return 0, g.cause()
		}
	}
	n := copy(p, g.left)
	g.left = g.left[n:]
	return n, nil
}

// next reads one packet, and either deals with it or leaves it for paho.
func (g *guard) next() error {
	if cap(g.frame) > outBytes {
		g.frame = nil // one large message must not stay
	}
	g.frame = g.frame[:0]
	var h header
	for n := 0; n == 0; {
		b, err := g.in.ReadByte()
		if err != nil {
			return err
		}
		g.frame = append(g.frame, b)
		if h, n, err = parseHeader(g.frame); err != nil {
			return err
		}
	}
	head := len(g.frame)
	if head+h.length > g.dial.PacketBytes {
		return fmt.Errorf("the server sent a packet of %d bytes; packet_bytes allows %d", head+h.length, g.dial.PacketBytes)
	}
	if err := g.body(h.length); err != nil {
		return err
	}
	forPaho, err := g.take(h, g.frame[head:])
	if forPaho {
		g.left = g.frame
	}
	return err
}

// body reads n more bytes; the frame grows with what has come, not with n.
func (g *guard) body(n int) error {
	for n > 0 {
		step := min(n, 16<<10)
		from := len(g.frame)
		g.frame = append(g.frame, make([]byte, step)...)
		if _, err := io.ReadFull(g.in, g.frame[from:]); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// take checks a packet, and deals with the acknowledgements of our own messages.
func (g *guard) take(h header, body []byte) (forPaho bool, err error) {
	if err := h.check(body); err != nil {
		return false, err
	}
	switch h.kind {
	case puback, pubrec, pubcomp:
		return false, g.acknowledged(h.kind, binary.BigEndian.Uint16(body))
	case suback:
		id := binary.BigEndian.Uint16(body)
		g.mu.Lock()
		filters, asked := g.asked[id-pahoOffset]
		delete(g.asked, id-pahoOffset)
		g.mu.Unlock()
		if !asked || filters != len(body)-2 {
			return false, fmt.Errorf("the server sent a SUBACK for %d filters that fits no SUBSCRIBE", len(body)-2)
		}
		binary.BigEndian.PutUint16(body, id-pahoOffset)
	case publish:
		if name, err := publishTopic(h, body); err != nil {
			return false, err
		} else if err := topic.CheckName(name); err != nil {
			return false, fmt.Errorf("the server sent a PUBLISH with a bad topic: %w", err)
		}
	}
	return true, nil
}

// acknowledged tells the handler about a message of the queue, or ends an announcement.
func (g *guard) acknowledged(kind byte, id uint16) error {
	if uint64(id) > g.ids.modulus {
		if kind == puback {
			g.ids.called(id)
		}
		return nil
	}
	want, next := awaitPuback, awaitPuback
	switch kind {
	case pubrec:
		want, next = awaitPubrec, taken
	case pubcomp:
		want, next = awaitPubcomp, awaitPubcomp
	}
	seq, ok, err := g.ids.answer(id, want, next)
	if err != nil || !ok {
		return err
	}
	if kind == pubrec {
		g.dial.Handler.Received(seq)
	} else {
		g.dial.Handler.Completed(seq)
	}
	return nil
}
