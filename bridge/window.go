package bridge

import (
	"sync"
	"time"
)

// window knows the messages under way on one connection, in the order in which they were sent.
//
//	order:  17 · 18 · 19 · 20      oldest = 17: all below is acknowledged
//	open:   17        19   20      18 was completed early, and leaves order when 17 does
type window struct {
	mu      sync.Mutex
	open    map[uint64]bool // true: a restored PUBREL, which holds up new messages
	order   []uint64
	barrier int // how many of open are restored PUBRELs
}

func newWindow() *window { return &window{open: map[uint64]bool{}} }

// add notes that a message is about to be sent.
func (w *window) add(seq uint64, restored bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[seq] = restored
	w.order = append(w.order, seq)
	if restored {
		w.barrier++
	}
}

// done notes that a message is complete; false: it was not under way.
func (w *window) done(seq uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	restored, ok := w.open[seq]
	if !ok {
		return false
	}
	delete(w.open, seq)
	if restored {
		w.barrier--
	}
	for len(w.order) > 0 {
		if _, open := w.open[w.order[0]]; open {
			break
		}
		w.order = w.order[1:]
	}
	return true
}

// len is how many messages are under way; barred says that restored PUBRELs are among them.
func (w *window) len() (n int, barred bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open), w.barrier > 0
}

// oldest is the lowest sequence number under way; when there is none, next, which is about to be sent.
func (w *window) oldest(next uint64) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) > 0 {
		return min(w.order[0], next)
	}
	return next
}

// savedMark bounds from below what the queue has surely saved as acknowledged.
//
// The queue saves acknowledgements within a second, or with its next commit. A power cut before that brings the messages
// back, and a QoS 2 one among them is finished under its old packet identifier: no other message may have taken the
// identifier in the meantime.
type savedMark struct {
	mu    sync.Mutex
	saved uint64 // all below is acknowledged and saved
	mark  uint64 // all below was acknowledged at the time at
	at    time.Time
}

// savedAfter is twice the second that the queue may take.
const savedAfter = 2 * time.Second

// raise notes that all below seq is saved.
func (s *savedMark) raise(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = max(s.saved, seq)
}

// safe says whether seq may be sent: whether it is less than span above what is saved.
func (s *savedMark) safe(seq, oldest, span uint64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() { // what lies below the first message of all was saved before this process began
		s.saved, s.mark, s.at = max(s.saved, oldest), oldest, now
	}
	if now.Sub(s.at) >= savedAfter {
		s.saved, s.mark, s.at = max(s.saved, s.mark), oldest, now
	}
	return seq < s.saved+span
}
