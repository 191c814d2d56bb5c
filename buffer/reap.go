package buffer

import (
	"math"

	"github.com/dgraph-io/badger/v4"
)

// maxReaped bounds the keys that one transaction deletes.
const maxReaped = 300

// die marks [from, to) as dead: segments wholly in there can be deleted.
func (q *queue) die(from, to uint64) {
	q.dead.add(from, to)
	if len(q.dead) > 1 || q.dead[0].to >= q.reapAt {
		q.store.mortal[q] = true
	}
}

// reap adds deletions of segments that nobody needs any more. Under the store's lock.
func (s *Store) reap(g *group) error {
	left := maxReaped
	s.reapMore = false
	for q := range s.mortal {
		if err := s.reapQueue(g, q, &left); err != nil {
			return err
		}
		if left == 0 {
			s.reapMore = true
			return nil
		}
		delete(s.mortal, q)
	}
	for len(s.doomed) > 0 {
		id := s.doomed[0]
		if _, err := s.reapSpan(g, id, span{0, math.MaxUint64}, &left); err != nil {
			return err
		}
		if left == 0 {
			s.reapMore = true
			return nil
		}
		g.changes = append(g.changes, change{key: numberedKey(keyDeleted, id)})
		s.doomed = s.doomed[1:]
	}
	return nil
}

// reapQueue deletes what is dead in a queue.
func (s *Store) reapQueue(g *group, q *queue, left *int) error {
	if q.deleted {
		q.dead = nil
		return nil
	}
	var rest ranges
	q.reapAt = 0
	for i, r := range q.dead {
		stop, err := s.reapSpan(g, q.id, r, left)
		if err != nil {
			return err
		}
		if *left == 0 {
			rest = append(append(rest, span{stop.first, r.to}), q.dead[i+1:]...)
			break
		}
		if stop.first < r.to { // it reaches beyond: wait for its other messages
			rest = append(rest, span{stop.first, r.to})
			q.reapAt = stop.end()
		}
	}
	if len(rest) > 1 {
		q.reapAt = 0
	}
	q.dead = rest
	return nil
}

// reapSpan deletes the segments that are wholly in r, at most left keys, and gives the one it stopped at.
func (s *Store) reapSpan(g *group, queue uint32, r span, left *int) (segment, error) {
	stop := segment{first: math.MaxUint64}
	err := s.scan(queue, r.from, func(seg segment, _ *badger.Iterator) bool {
		if seg.end() > r.to || *left < seg.parts() {
			stop = seg
			if seg.end() <= r.to {
				*left = 0
			}
			return false
		}
		for part := range seg.parts() {
			g.changes = append(g.changes, change{key: seg.key(byte(part))})
			*left--
		}
		s.garbage += uint64(seg.bytes)
		if *left == 0 {
			stop = segment{first: seg.end(), count: 1}
			return false
		}
		return true
	})
	return stop, err
}
