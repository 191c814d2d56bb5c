package buffer

import (
	"github.com/dgraph-io/badger/v4"
)

// readBytes is how much one reading of the backlog brings into memory, at least one segment.
const readBytes = 128 << 10

// read gives the messages of a queue from seq on, below to, until there are enough; and the segments among them that
// could not be read. It begins in the middle of a segment where seq does.
func (s *Store) read(queue uint32, seq, to uint64) (out []entry, damaged []segment, err error) {
	err = s.segments(queue, seq, func(g segment, it *badger.Iterator) bool {
		if g.first >= to {
			return false
		}
		entries, bad := readSegment(g, it)
		if bad != nil {
			if len(out) > 0 {
				return false // told when it is its turn
			}
			damaged = append(damaged, g)
			return true
		}
		if g.first < seq {
			entries = entries[seq-g.first:]
		}
		out = append(out, entries...)
		size := 0
		for i := range out {
			size += int(out[i].size)
		}
		return size < readBytes
	})
	return out, damaged, err
}

// readSegment reads the segment whose first key the iterator stands at, and leaves it at its last one.
func readSegment(g segment, it *badger.Iterator) ([]entry, error) {
	body := make([]byte, 0, g.bytes)
	for part := range g.parts() {
		if part > 0 {
			it.Next()
		}
		if !it.Valid() {
			return nil, errDamaged
		}
		key := it.Item().Key()
		if at, n, ok := parseSegmentKey(key); !ok || at != g || int(n) != part {
			return nil, errDamaged
		}
		err := it.Item().Value(func(v []byte) error {
			b, err := unseal(key, v)
			body = append(body, b...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(body) != int(g.bytes) {
		return nil, errDamaged
	}
	return parseEntries(body, g.first, int(g.count))
}

// segments calls f for each segment of a queue from the one that holds seq on, in order, until f is false. The iterator
// stands at the segment's first key; f may move it forward within the segment.
func (s *Store) segments(queue uint32, seq uint64, f func(segment, *badger.Iterator) bool) error {
	return s.walk(queue, seq, true, f)
}

// scan is like segments, but begins with the first segment that begins at seq or later.
func (s *Store) scan(queue uint32, seq uint64, f func(segment, *badger.Iterator) bool) error {
	return s.walk(queue, seq, false, f)
}

func (s *Store) walk(queue uint32, seq uint64, middle bool, f func(segment, *badger.Iterator) bool) error {
	return safely(func() error {
		return s.db.View(func(t *badger.Txn) error {
			opts := badger.IteratorOptions{Prefix: numberedKey(keySegment, queue)}
			it := t.NewIterator(opts)
			defer it.Close()
			it.Seek(segmentSeek(queue, seq))
			if g, _, ok := at(it); middle && (!ok || g.first != seq) {
				// seq is in the middle of a segment, or of a gap.
				if first, ok := holder(t, opts, queue, seq); ok {
					it.Seek(segmentSeek(queue, first))
				}
			}
			for ; it.Valid(); it.Next() {
				g, part, ok := at(it)
				if !ok || part != 0 {
					continue
				}
				if !f(g, it) {
					return nil
				}
			}
			return nil
		})
	})
}

func at(it *badger.Iterator) (segment, byte, bool) {
	if !it.Valid() {
		return segment{}, 0, false
	}
	return parseSegmentKey(it.Item().Key())
}

// holder finds the segment in whose middle seq is.
func holder(t *badger.Txn, opts badger.IteratorOptions, queue uint32, seq uint64) (uint64, bool) {
	if seq == 0 {
		return 0, false
	}
	opts.Reverse = true
	it := t.NewIterator(opts)
	defer it.Close()
	it.Seek(segmentSeek(queue, seq))
	g, _, ok := at(it)
	return g.first, ok && g.end() > seq
}
