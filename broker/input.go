package broker

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// Buffers for reading and writing come in two sizes, and belong to a connection only while something is in them.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

var buffers = [2]sync.Pool{
	{New: func() any { return new(make([]byte, smallBuffer)) }},
	{New: func() any { return new(make([]byte, largeBuffer)) }},
}

func getBuffer(large bool) *[]byte {
	if large {
		return buffers[1].Get().(*[]byte)
	}
	return buffers[0].Get().(*[]byte)
}

func putBuffer(b *[]byte) {
	switch cap(*b) {
	case smallBuffer:
		*b = (*b)[:smallBuffer]
		buffers[0].Put(b)
	case largeBuffer:
		*b = (*b)[:largeBuffer]
		buffers[1].Put(b)
	}
}

// input is what has arrived and is not handled yet: (*buf)[start:end]. While nothing is, there is no buffer.
type input struct {
	c          *conn
	buf        *[]byte
	start, end int
	need       int  // the size of the packet that begins at start, as far as it is known
	large      bool // the last read filled its buffer
	warm       bool // packets were handled since the goroutine began: its stack has grown

	deadline time.Time // as set on the socket
	limit    time.Time // of CONNECT; zero afterwards
	tryRead  func(fd uintptr) bool
	n        int
	err      error
	first    [1]byte
}

func (in *input) init(c *conn) {
	in.c = c
	in.tryRead = in.readReady
}

// fill waits for bytes and takes them in.
func (in *input) fill() error {
	c := in.c
	if err := in.compact(); err != nil {
		return err
	}
	for {
		if err := in.setDeadline(); err != nil {
			return err
		}
		in.n, in.err = 0, nil
		if c.raw != nil {
			if err := c.raw.Read(in.tryRead); err != nil {
				in.err = err
			}
		} else {
			in.readLayered()
		}
		if in.n > 0 {
			break
		}
		if errors.Is(in.err, os.ErrDeadlineExceeded) && in.early() {
			if !in.warm || time.Since(c.router.now) < calmAfter {
				continue
			}
			in.warm = false    // asks for no such deadline any more
			if in.buf == nil { // not in the middle of a packet
				if err := in.setDeadline(); err != nil { // here, so that the next goroutine needs no stack for it
					return err
				}
				return errCalm
			}
			continue
		}
		if in.err == nil {
			in.err = io.EOF
		}
		return in.err
	}
	in.warm = c.raw != nil
	in.end += in.n
	in.large = in.end == len(*in.buf)
	c.router.now = time.Now()
	c.b.stats.bytesIn.Add(uint64(in.n))
	return nil
}

// early: the socket's deadline is not the end; it was not moved on at every packet, or meant calm only.
func (in *input) early() bool {
	c := in.c
	select {
	case <-c.quit:
		return false
	default:
	}
	if !in.limit.IsZero() || c.keepAlive > 0 && time.Since(c.router.now) >= c.keepAlive || c.keepAlive == 0 && !in.warm {
		return false
	}
	in.deadline = time.Unix(1, 0) // to be set anew
	return true
}

// readLayered reads what TLS or a WebSocket brings. It waits for a packet's first byte without a buffer; no packet has one byte
// only, so that the second read does not wait for anything but the rest of the packet.
func (in *input) readLayered() {
	nc := in.c.nc
	if in.buf != nil {
		in.n, in.err = nc.Read((*in.buf)[in.end:])
		return
	}
	if in.n, in.err = nc.Read(in.first[:]); in.n > 0 {
		in.take()
		(*in.buf)[0] = in.first[0]
	}
}

// setDeadline moves the socket's deadline on, but only when that makes a difference of an eighth: moving it costs more
// than reading a small message. A WebSocket that has met its deadline is at its end: there it is always moved.
func (in *input) setDeadline() error {
	c := in.c
	want := in.limit
	if want.IsZero() {
		span := c.keepAlive
		if in.warm && (span == 0 || span > calmAfter) {
			span = calmAfter
		}
		if span > 0 {
			want = c.router.now.Add(span)
			if late := want.Sub(in.deadline); late >= 0 && late < span/8 && c.raw != nil {
				return nil
			}
		}
	}
	if want.Equal(in.deadline) {
		return nil
	}
	if err := c.nc.SetReadDeadline(want); err != nil {
		return err
	}
	in.deadline = want
	select {
	case <-c.quit: // kick's deadline may just have been overwritten
		return c.nc.SetReadDeadline(c.kickedUntil())
	default:
		return nil
	}
}

func (in *input) take() {
	if in.buf == nil {
		in.buf = getBuffer(in.large)
		in.start, in.end = 0, 0
	}
}

func (in *input) release() {
	if in.buf != nil {
		putBuffer(in.buf)
		in.buf = nil
	}
	in.start, in.end = 0, 0
}

// compact makes room behind what is left. A buffer grows at most to twice of what has arrived: what a header claims
// allocates nothing.
func (in *input) compact() error {
	left := in.end - in.start
	if left == 0 {
		in.release()
		return nil
	}
	if size := len(*in.buf); left == size {
		grown := new(make([]byte, max(min(2*size, in.need), size+1)))
		copy(*grown, (*in.buf)[in.start:in.end])
		in.release()
		in.buf, in.end = grown, left
		return nil
	}
	if in.start > 0 {
		copy(*in.buf, (*in.buf)[in.start:in.end])
		in.start, in.end = 0, left
	}
	return nil
}

// readPackets handles every whole packet that has arrived.
func (c *conn) readPackets(handle func(h mqtt.Header, body []byte) error) error {
	in := &c.in
	limit := int(c.b.cfg.Limits.PacketBytes)
	for in.start < in.end {
		b := (*in.buf)[in.start:in.end]
		h, n, err := mqtt.ParseHeader(b)
		if err != nil {
			return err
		}
		if n == 0 {
			in.need = 5
			return nil
		}
		if c.sess == nil {
			if longest := int(c.b.cfg.Limits.ConnectBytes); n+h.Length > longest && (h.Type == mqtt.CONNECT || c.auth != nil) {
				if in.need = n + len(isVersion5); len(b) < in.need {
					return nil // it matters for the answer who it is
				}
				return c.tooLong(h, n, longest, string(b[n:in.need]) == isVersion5)
			}
		}
		if n+h.Length > limit {
			return violation(mqtt.PacketTooLarge, "a %s of %d bytes; broker.limits.packet_bytes is %d", h.Type, n+h.Length, limit)
		}
		if in.need = n + h.Length; len(b) < in.need {
			if c.sess == nil && c.auth == nil && h.Type != mqtt.CONNECT {
				return violation(mqtt.ProtocolError, "%s before CONNECT", h.Type)
			}
			return nil
		}
		c.counted.packets++
		if err := handle(h, b[n:n+h.Length]); err != nil {
			return err
		}
		in.start += n + h.Length
		select {
		case <-c.quit:
			if !time.Now().Before(c.kickedUntil()) {
				return errors.New("kicked")
			}
		default:
		}
	}
	return nil
}
