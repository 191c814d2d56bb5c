package buffer

import "encoding/binary"

// state is what a queue's record keeps.
type state struct {
	// cursor: everything below is done with. high: everything from here on was never leased. next: the next message's
	// sequence number. cursor ≤ high ≤ next.
	cursor, high, next uint64
	// resent: below it, a leased message may have been sent before, and is marked as redelivered.
	resent          uint64
	messages, bytes uint64 // from cursor on, and not in gone
	appended, acked uint64
	lost, lostBytes uint64
	gone            ranges // at or above cursor, but acknowledged, evicted or damaged
	received        ranges // the peer has them, and PUBCOMP is awaited
}

const stateVersion = 1

func (s *state) append(b []byte) []byte {
	b = append(b, stateVersion)
	for _, v := range [...]uint64{s.cursor, s.high, s.next, s.resent, s.messages, s.bytes, s.appended, s.acked, s.lost, s.lostBytes} {
		b = binary.AppendUvarint(b, v)
	}
	b = appendRanges(b, s.gone, s.cursor)
	return appendRanges(b, s.received, s.cursor)
}

func parseState(b []byte) (state, error) {
	var s state
	r := reader{b: b}
	if r.byte() != stateVersion {
		return state{}, errDamaged
	}
	for _, v := range [...]*uint64{&s.cursor, &s.high, &s.next, &s.resent, &s.messages, &s.bytes, &s.appended, &s.acked, &s.lost, &s.lostBytes} {
		*v = r.uvarint()
	}
	s.gone = r.ranges(s.cursor)
	s.received = r.ranges(s.cursor)
	if r.bad || len(r.b) != 0 || s.cursor > s.high || s.high > s.next || s.cursor == 0 {
		return state{}, errDamaged
	}
	return s, nil
}

// appendRanges writes how many spans there are, then for each its distance from the one before and its length.
func appendRanges(b []byte, s ranges, from uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	for _, x := range s {
		b = binary.AppendUvarint(b, x.from-from)
		b = binary.AppendUvarint(b, x.to-x.from)
		from = x.to
	}
	return b
}

func (r *reader) ranges(from uint64) ranges {
	var out ranges
	for n := r.count(2); n > 0; n-- {
		from += r.uvarint()
		to := from + r.uvarint()
		if to <= from || len(out) > 0 && out[len(out)-1].to >= from {
			r.fail()
			return nil
		}
		out, from = append(out, span{from, to}), to
	}
	return out
}
