package paho

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// errTorn would be a change of paho's: it writes each packet with one call.
var errTorn = errors.New("paho wrote something other than one whole packet")

// promote says what the next PUBLISH of paho's becomes.
func (g *guard) promote(p promotion) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.promotions = append(g.promotions, p)
}

// Write takes one packet of paho's. It does not wait for the network.
func (g *guard) Write(b []byte) (int, error) {
	h, n, err := parseHeader(b)
	if err != nil || n == 0 || n+h.length != len(b) {
		g.fail(errTorn)
		return 0, errTorn
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return 0, g.err
	}
	switch h.kind {
	case publish:
		if len(g.promotions) == 0 {
			return 0, errors.New("paho published something by itself")
		}
		p := g.promotions[0]
		g.promotions = g.promotions[1:]
		g.out = p.append(g.out, h, b[n:])
	case subscribe:
		id := binary.BigEndian.Uint16(b[n:])
		if id == 0 || id > 65535-pahoOffset {
			return 0, fmt.Errorf("paho used packet identifier %d for SUBSCRIBE", id)
		}
		g.asked[id] = countFilters(b[n+2:])
		at := len(g.out) + n
		g.out = append(g.out, b...)
		binary.BigEndian.PutUint16(g.out[at:], id+pahoOffset)
	default:
		g.out = append(g.out, b...)
	}
	g.wake.Broadcast()
	return len(b), nil
}

// append writes the PUBLISH whose body at QoS 0 is given.
func (p promotion) append(dst []byte, h header, body []byte) []byte {
	if p.qos == 0 {
		dst = append(dst, publish<<4|h.flags)
		return append(appendLength(dst, len(body)), body...)
	}
	flags := h.flags&1 | p.qos<<1
	if p.dup {
		flags |= 8
	}
	topic := 2 + int(binary.BigEndian.Uint16(body))
	dst = appendLength(append(dst, publish<<4|flags), len(body)+2)
	dst = append(dst, body[:topic]...)
	dst = binary.BigEndian.AppendUint16(dst, p.id)
	return append(dst, body[topic:]...)
}

// queue hands a packet of our own to the writer.
func (g *guard) queue(packet []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return g.err
	}
	g.out = append(g.out, packet...)
	g.wake.Broadcast()
	return nil
}

// room waits until the network has taken enough.
func (g *guard) room() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.out) > outBytes && g.err == nil {
		g.wake.Wait()
	}
	return g.err
}

// chunk is how much is written at once: each must get through within AckTimeout, which a slow line can do.
const chunk = 16 << 10

// writer is the only one who writes to the network; what has gathered meanwhile goes out together.
func (g *guard) writer() {
	var spare []byte
	for {
		g.mu.Lock()
		for len(g.out) == 0 && g.err == nil {
			g.wake.Wait()
		}
		if g.err != nil {
			g.mu.Unlock()
			return
		}
		batch := g.out
		g.out, g.writing = spare[:0], true
		g.mu.Unlock()
		if err := g.flush(batch); err != nil {
			g.fail(err)
			return
		}
		if spare = batch; cap(spare) > 4*outBytes {
			spare = nil // one large message must not stay
		}
		g.mu.Lock()
		g.writing = false
		g.wake.Broadcast()
		g.mu.Unlock()
	}
}

func (g *guard) flush(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), chunk)
		if err := g.Conn.SetWriteDeadline(time.Now().Add(g.dial.AckTimeout)); err != nil {
			return err
		}
		if _, err := g.Conn.Write(b[:n]); err != nil {
			return fmt.Errorf("the network takes nothing: %w", err)
		}
		g.ids.progressed()
		b = b[n:]
	}
	return nil
}
