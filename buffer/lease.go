package buffer

import "github.com/edged/edged"

// Lease returns the next messages in order.
func (q *queue) Lease(limit int) ([]edged.Queued, error) {
	q.reading.Lock()
	defer q.reading.Unlock()
	s := q.store
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []edged.Queued
	for len(out) < limit {
		if err := s.usable(); err != nil {
			return out, err
		}
		q.pos = q.gone.skip(q.pos)
		if q.deleted || q.pos >= q.visible || q.pending[q.pos] {
			// Behind a PUBREC that is not on disk yet nothing is leased: its commit notifies.
			break
		}
		entries := q.inMemory(q.pos)
		if entries == nil {
			entries = q.readAhead(q.pos)
		}
		if entries == nil {
			if err := q.refill(); err != nil {
				return out, err
			}
			continue
		}
		out = q.leaseFrom(entries, limit, out)
	}
	return out, nil
}

// leaseFrom leases entries as long as they are next in turn.
func (q *queue) leaseFrom(entries []entry, limit int, out []edged.Queued) []edged.Queued {
	s := q.store
	for i := range entries {
		e := &entries[i]
		if len(out) == limit || e.seq != q.pos || q.gone.contains(e.seq) || q.pending[e.seq] {
			break
		}
		out = append(out, edged.Queued{
			Message:     e.msg,
			Seq:         e.seq,
			Received:    q.received.contains(e.seq),
			Redelivered: e.seq < q.resent,
			Identifiers: e.ids,
		})
		q.flight[e.seq] = slot{size: e.size, epoch: q.epoch, time: e.msg.Time}
		q.inFlight++
		q.pos++
	}
	if q.pos > q.high {
		q.high = q.pos
		s.dirtied(q)
	}
	q.dropBlocks(q.pos)
	return out
}

// readAhead gives what was read from disk, from seq on, or nil.
func (q *queue) readAhead(seq uint64) []entry {
	for len(q.ahead) > 0 && q.ahead[0].seq < seq {
		q.ahead = q.ahead[1:]
	}
	if len(q.ahead) == 0 || q.ahead[0].seq != seq {
		return nil
	}
	return q.ahead
}

// refill reads on from disk. It lets go of the store's lock meanwhile. When nothing is found at pos it moves on.
func (q *queue) refill() error {
	s, from, epoch, to := q.store, q.pos, q.epoch, q.visible
	if len(q.blocks) > 0 && q.blocks[0].entries[0].seq > from {
		to = q.blocks[0].entries[0].seq
	}
	s.mu.Unlock()
	entries, damaged, err := s.read(q.id, from, to)
	s.mu.Lock()
	if err != nil {
		return s.broken("read queue "+q.name, err)
	}
	if q.epoch != epoch || q.pos != from {
		return nil // rewound or evicted meanwhile: look again
	}
	if len(entries) > 0 && entries[0].seq == from {
		q.ahead = entries
		return nil
	}
	next := to
	if len(entries) > 0 {
		next, q.ahead = entries[0].seq, entries
	}
	q.skip(from, next, damaged)
	return nil
}

// skip moves over [from, to), where there is nothing to read: a gap known since the store was opened, or segments whose
// contents turned out to be damaged.
func (q *queue) skip(from, to uint64, damaged []segment) {
	s := q.store
	for _, g := range damaged {
		a, b := max(g.first, from), min(g.end(), to)
		if a >= b {
			continue
		}
		n := b - a - q.gone.count(a, b)
		size := uint64(g.bytes) * n / uint64(g.count)
		for seq, sl := range q.flight {
			if seq >= a && seq < b {
				delete(q.flight, seq)
				if sl.epoch == q.epoch {
					q.inFlight--
				}
			}
		}
		s.take(q, n, size)
		s.lose(q, reasonDamaged, edged.Loss{First: a, Last: b - 1, Messages: n, Bytes: size, FirstTime: fromMillis(g.firstTime), LastTime: fromMillis(g.lastTime)})
		s.log.Error("a stored segment is damaged; its messages are lost", "queue", q.name, "first", a, "last", b-1, "messages", n)
	}
	q.finish(from, to)
	q.pos = max(q.pos, to)
	if s.touch(q) {
		s.in.poke()
	}
}
