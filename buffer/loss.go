package buffer

import "github.com/edged/edged"

// reasonDamaged: what the disk gave back was not what was written.
const reasonDamaged = "damaged"

// lose counts a loss, and remembers to tell of it after the next commit. Under the store's lock.
func (s *Store) lose(q *queue, reason string, l edged.Loss) {
	l.Queue, l.Reason = q.name, reason
	q.lost += l.Messages
	q.lostBytes += l.Bytes
	if n := len(s.losses); n > 0 {
		if last := &s.losses[n-1]; last.Queue == l.Queue && last.Reason == l.Reason && (l.First == 0) == (last.First == 0) && (l.First == 0 || last.Last+1 == l.First) {
			last.Last, last.LastTime = l.Last, l.LastTime
			last.Messages += l.Messages
			last.Bytes += l.Bytes
			return
		}
	}
	s.losses = append(s.losses, l)
}

// tellLosses passes on what was lost. Never under the store's lock.
func (s *Store) tellLosses() {
	s.mu.Lock()
	losses := s.losses
	s.losses = nil
	s.mu.Unlock()
	for _, l := range losses {
		if s.opts.OnLoss != nil {
			s.opts.OnLoss(l)
		}
	}
}
