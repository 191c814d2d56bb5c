package buffer

import (
	"sync"
	"time"

	"github.com/edged/edged"
)

// queue is one durable subscriber's queue.
//
//	         cursor            pos         high                    visible      next
//	done with  │  leased, or    │  given    │  waiting              │ in commit  │
//	───────────┼── gone ────────┼── back ───┼───────────────────────┼────────────┼──►
//
// Messages between cursor and high may be acknowledged out of turn, evicted or damaged: those are in gone.
type queue struct {
	store *Store
	name  string
	id    uint32

	reading sync.Mutex // one Lease at a time; taken before the store's lock

	// All that follows is under the store's lock.
	limits edged.QueueLimits
	state
	visible  uint64          // below it, messages are committed
	pos      uint64          // the next to lease
	flight   map[uint64]slot // leased since the start and not yet acknowledged
	inFlight int             // those of flight that are leased now
	epoch    uint32          // grows with each Rewind
	pending  map[uint64]bool // Received, but not on disk yet
	blocks   []*block        // newest messages, in memory
	ahead    []entry         // read from disk, from pos on
	dead     ranges          // segments wholly in here are to be deleted
	reapAt   uint64          // the only segment left in dead ends here: no need to look again before
	fresh    bool            // its name is not on disk yet
	dirty    bool            // its state is not on disk yet
	deleted  bool
	notify   func()
	oldest   oldest
}

// slot is a leased message.
type slot struct {
	size  uint32
	epoch uint32
	time  time.Time
}

// Name is the queue's name.
func (q *queue) Name() string { return q.name }

// Rewind gives back every lease.
func (q *queue) Rewind() {
	s := q.store
	s.mu.Lock()
	defer s.mu.Unlock()
	q.resent = max(q.resent, q.pos)
	q.pos = q.gone.skip(q.cursor)
	q.epoch++
	q.inFlight = 0
	q.ahead = nil
}

// Ack completes a message.
func (q *queue) Ack(seq uint64) {
	s := q.store
	s.mu.Lock()
	sl, ok := q.flight[seq]
	if !ok || q.deleted {
		s.mu.Unlock()
		return
	}
	delete(q.flight, seq)
	if sl.epoch == q.epoch {
		q.inFlight--
	}
	q.acked++
	s.take(q, 1, uint64(sl.size))
	q.finish(seq, seq+1)
	wake := s.touch(q)
	s.mu.Unlock()
	if wake {
		s.in.poke()
	}
}

// Received notes that the peer has taken over a QoS 2 message.
func (q *queue) Received(seq uint64, done func(error)) {
	s := q.store
	s.mu.Lock()
	if _, ok := q.flight[seq]; ok && !q.received.contains(seq) {
		q.pending[seq] = true
	}
	s.mu.Unlock()
	s.in.put(&op{kind: opReceived, queue: q, seq: seq, done: done, cost: 64})
}

// Notify sets the function that hears of new messages.
func (q *queue) Notify(f func()) {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	q.notify = f
}

// finish marks [from, to) as done with.
func (q *queue) finish(from, to uint64) {
	q.gone.add(from, to)
	q.high = max(q.high, to)
	if q.gone[0].from > q.cursor {
		return
	}
	cursor := q.gone[0].to
	q.die(q.cursor, cursor)
	q.cursor = cursor
	q.pos = max(q.pos, cursor)
	q.gone.trim(cursor)
	q.received.trim(cursor)
}

// take subtracts n messages of size bytes together, which are done with.
func (s *Store) take(q *queue, n, size uint64) {
	size = min(size, q.bytes) // after damage, sizes are estimates
	q.messages -= min(n, q.messages)
	q.bytes -= size
	s.bytes -= size
}

// dirtied has a queue's state saved when there is an occasion: at the latest when the store is closed.
func (s *Store) dirtied(q *queue) {
	if !q.dirty {
		q.dirty = true
		s.dirty = append(s.dirty, q)
	}
}

// touch has a queue's state saved soon, and says whether the committer must be told.
func (s *Store) touch(q *queue) bool {
	s.dirtied(q)
	if !s.saveAt.IsZero() {
		return false
	}
	s.saveAt = time.Now().Add(saveDelay)
	return true
}
