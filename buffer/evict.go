package buffer

import (
	"github.com/dgraph-io/badger/v4"
	"github.com/edged/edged"
)

// evictable says whether drop-oldest has anything to take from the queue: messages that were never leased.
func (q *queue) evictable() bool {
	return q.limits.WhenFull == edged.DropOldest && q.high < q.visible
}

// makeRoom brings a queue with a new part back within its bounds.
func (s *Store) makeRoom(p *part) error {
	q, l := p.q, p.q.limits
	over := func() (messages, bytes uint64) {
		if l.MaxMessages > 0 {
			messages = excess(q.messages+uint64(len(p.entries)), uint64(l.MaxMessages))
		}
		if l.MaxBytes > 0 {
			bytes = excess(q.bytes+uint64(len(p.body)), uint64(l.MaxBytes))
		}
		return messages, bytes
	}
	m, b := over()
	if m == 0 && b == 0 || l.WhenFull != edged.DropOldest {
		return nil
	}
	if err := s.evict(q, m, b); err != nil {
		return err
	}
	m, b = over()
	s.behead(p, m, b)
	return nil
}

// makeRoomForAll brings the whole store back within max_bytes: the biggest queue that may drop its oldest gives way.
func (s *Store) makeRoomForAll(g *group) error {
	over := func() uint64 {
		n := s.bytes
		for _, p := range g.parts {
			n += uint64(len(p.body))
		}
		return excess(n, s.maxBytes)
	}
	for n := over(); n > 0; n = over() {
		var biggest *queue
		for _, q := range s.queues {
			if q.evictable() && (biggest == nil || q.bytes > biggest.bytes) {
				biggest = q
			}
		}
		if biggest == nil {
			break
		}
		if err := s.evict(biggest, 0, n); err != nil {
			return err
		}
	}
	for _, p := range g.parts {
		if n := over(); n > 0 && p.q.limits.WhenFull == edged.DropOldest {
			s.behead(p, 0, n)
		}
	}
	return nil
}

func excess(n, limit uint64) uint64 {
	if n > limit {
		return n - limit
	}
	return 0
}

// evict drops whole segments of waiting messages, oldest first, until that many messages and bytes are gone or nothing
// waits. Of a segment that is partly leased, only the rest goes.
func (s *Store) evict(q *queue, messages, bytes uint64) error {
	from, to := q.high, q.high
	loss := edged.Loss{First: from}
	var aligned uint64 // where the first whole segment begins
	err := s.segments(q.id, from, func(g segment, it *badger.Iterator) bool {
		if g.first >= q.visible || loss.Messages >= messages && loss.Bytes >= bytes {
			return false
		}
		n, size := uint64(g.count), uint64(g.bytes)
		if g.first < from {
			n, size = restOf(g, from, it)
		} else if aligned == 0 {
			aligned = g.first
		}
		if loss.Messages == 0 {
			loss.FirstTime = fromMillis(g.firstTime)
		}
		loss.Messages += n
		loss.Bytes += size
		loss.LastTime = fromMillis(g.lastTime)
		to = g.end()
		return true
	})
	if err != nil {
		return s.broken("evict from queue "+q.name, err)
	}
	if loss.Messages == 0 {
		return nil
	}
	loss.Last = to - 1
	q.drop(from, to)
	if aligned != 0 {
		q.die(aligned, to)
	}
	s.take(q, loss.Messages, loss.Bytes)
	s.lose(q, string(edged.DropOldest), loss)
	return nil
}

// restOf counts what is left of a segment from seq on.
func restOf(g segment, seq uint64, it *badger.Iterator) (messages, size uint64) {
	messages = g.end() - seq
	entries, err := readSegment(g, it)
	if err != nil {
		return messages, uint64(g.bytes) * messages / uint64(g.count)
	}
	for _, e := range entries[seq-g.first:] {
		size += uint64(e.size)
	}
	return messages, size
}

// drop takes waiting messages out of turn.
func (q *queue) drop(from, to uint64) {
	q.finish(from, to)
	q.dropEvicted(from, to)
	q.pos = q.gone.skip(q.pos)
}

// dropEvicted forgets what memory holds of [from, to).
func (q *queue) dropEvicted(from, to uint64) {
	if len(q.ahead) > 0 && q.ahead[len(q.ahead)-1].seq >= from {
		q.ahead = nil
	}
	if len(q.blocks) > 0 && q.blocks[0].end() <= to {
		q.dropBlocks(to)
	}
}

// behead drops the oldest of a part itself: what was there before could not give way.
func (s *Store) behead(p *part, messages, bytes uint64) {
	q := p.q
	loss := edged.Loss{First: q.next}
	n, size := 0, 0
	for n < len(p.entries) && (uint64(n) < messages || uint64(size) < bytes) {
		size += int(p.entries[n].size)
		n++
	}
	if n == 0 {
		return
	}
	loss.FirstTime, loss.LastTime = p.entries[0].msg.Time, p.entries[n-1].msg.Time
	loss.Messages, loss.Bytes = uint64(n), uint64(size)
	p.entries, p.body = p.entries[n:], p.body[size:]
	from := q.next
	q.next += uint64(n)
	loss.Last = q.next - 1
	q.drop(from, q.next)
	s.lose(q, string(edged.DropOldest), loss)
	s.touch(q)
}
