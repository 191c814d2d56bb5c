package mqtt

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// maxField is the longest string or binary field, in bytes: its length takes two bytes (MQTT 5.0 §1.5.4, §1.5.6).
const maxField = 65_535

// parseVarint reads a variable byte integer (MQTT 5.0 §1.5.5); n == 0 without an error: it goes on beyond b. The error's
// problem is the end of a sentence.
func parseVarint(b []byte) (x uint32, n int, err *Error) {
	for n < len(b) {
		c := b[n]
		x |= uint32(c&0x7F) << (7 * n)
		n++
		if c < 0x80 {
			if c == 0 && n > 1 {
				return 0, 0, refuse(MalformedPacket, "MQTT-1.5.5-1", "takes %d bytes where fewer would do", n)
			}
			return x, n, nil
		}
		if n == 4 {
			return 0, 0, refuse(MalformedPacket, "MQTT-1.5.5-1", "takes more than 4 bytes")
		}
	}
	return 0, 0, nil
}

// appendVarint appends x, at most MaxLength, as a variable byte integer.
func appendVarint(dst []byte, x uint32) []byte {
	for x >= 0x80 {
		dst = append(dst, byte(x)|0x80)
		x >>= 7
	}
	return append(dst, byte(x))
}

// varintSize is how many bytes appendVarint appends.
func varintSize(x uint32) int {
	n := 1
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}

// checkString says what is wrong with s as a UTF-8 encoded string (MQTT 5.0 §1.5.4).
func checkString(t Type, what, s string) *Error {
	switch {
	case len(s) > maxField:
		return refuse(MalformedPacket, "", "%s: the %s has %d bytes; there is room for %d", t, what, len(s), maxField)
	case !utf8.ValidString(s):
		return refuse(MalformedPacket, "MQTT-1.5.4-1", "%s: the %s is not well-formed UTF-8", t, what)
	case strings.IndexByte(s, 0) >= 0:
		return refuse(MalformedPacket, "MQTT-1.5.4-2", "%s: the %s contains the character U+0000", t, what)
	}
	return nil
}

// reader takes fields off a packet's body. After the first error it returns zeros, and keeps that error.
type reader struct {
	b   []byte
	t   Type
	err *Error
}

// fail keeps e, unless there was an error before or e is nil.
func (r *reader) fail(e *Error) {
	if r.err == nil {
		r.err = e
	}
}

// take returns the next n bytes, nil if there are fewer.
func (r *reader) take(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.b) < n {
		r.err = refuse(MalformedPacket, "", "%s ends within its %s: %d bytes are left where %d are announced", r.t, what, len(r.b), n)
		return nil
	}
	// The capacity ends with the field, so that appending to it never writes into the next one.
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint8(what string) byte {
	if b := r.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16(what string) uint16 {
	if b := r.take(2, what); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32(what string) uint32 {
	if b := r.take(4, what); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) varint(what string) uint32 {
	if r.err != nil {
		return 0
	}
	x, n, e := parseVarint(r.b)
	switch {
	case e != nil:
		e.Problem = r.t.String() + ": the " + what + " " + e.Problem
		r.err = e
	case n == 0:
		r.err = refuse(MalformedPacket, "", "%s ends within its %s", r.t, what)
	}
	r.b = r.b[n:]
	return x
}

// bytes reads binary data: a length of two bytes, and that many bytes.
func (r *reader) bytes(what string) []byte { return r.take(int(r.uint16(what)), what) }

// string reads a UTF-8 encoded string. It aliases the body: copying each one is what would make parsing slow, and
// whoever keeps a string longer than the body clones it.
func (r *reader) string(what string) string {
	b := r.bytes(what)
	if len(b) == 0 {
		return ""
	}
	s := unsafe.String(&b[0], len(b))
	if e := checkString(r.t, what, s); e != nil {
		r.fail(e)
		return ""
	}
	return s
}

// end is the verdict on the packet: the first error, or one about bytes that no field claimed.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.err = refuse(MalformedPacket, "", "%s: %d bytes are left over after its last field", r.t, len(r.b))
	}
	if r.err != nil { // a nil *Error is not a nil error
		return r.err
	}
	return nil
}

// writer appends one packet to b. The first error is kept; what is written after it is thrown away by end.
type writer struct {
	b     []byte
	start int // where the packet begins in b
	t     Type
	err   *Error
}

// begin writes a first byte, and leaves one for the remaining length.
func begin(dst []byte, t Type, flags byte) writer {
	return writer{b: append(dst, byte(t)<<4|flags, 0), start: len(dst), t: t}
}

func (w *writer) fail(e *Error) {
	if w.err == nil {
		w.err = e
	}
}

func (w *writer) uint8(x byte)    { w.b = append(w.b, x) }
func (w *writer) uint16(x uint16) { w.b = binary.BigEndian.AppendUint16(w.b, x) }
func (w *writer) uint32(x uint32) { w.b = binary.BigEndian.AppendUint32(w.b, x) }

func (w *writer) bytes(what string, x []byte) {
	if len(x) > maxField {
		w.fail(refuse(MalformedPacket, "", "%s: the %s has %d bytes; there is room for %d", w.t, what, len(x), maxField))
		return
	}
	w.uint16(uint16(len(x)))
	w.b = append(w.b, x...)
}

func (w *writer) string(what, s string) {
	if e := checkString(w.t, what, s); e != nil {
		w.fail(e)
		return
	}
	w.uint16(uint16(len(s)))
	w.b = append(w.b, s...)
}

// length sets the variable byte integer for which one byte was left at b[at]: it counts all bytes after it, and more
// that are yet to come. What stands after it moves up when the integer needs more than that byte.
func (w *writer) length(at, more int) {
	n := len(w.b) - at - 1 + more
	if n > MaxLength {
		w.fail(refuse(PacketTooLarge, "", "%s: %d bytes; a packet holds at most %d", w.t, n, MaxLength))
		return
	}
	if extra := varintSize(uint32(n)) - 1; extra > 0 {
		w.b = append(w.b, make([]byte, extra)...)
		copy(w.b[at+1+extra:], w.b[at+1:])
	}
	appendVarint(w.b[:at], uint32(n))
}

// end completes the packet with its remaining length and the payload. The payload is last, so it never moves.
func (w *writer) end(payload []byte) ([]byte, error) {
	w.length(w.start+1, len(payload))
	if w.err != nil {
		return w.b[:w.start], w.err
	}
	return append(w.b, payload...), nil
}
