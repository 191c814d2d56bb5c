package buffer

import "time"

const (
	// saveDelay is how long an acknowledgement may wait for a commit to be saved along with.
	saveDelay = time.Second
	// markDelay is how often the marker is written while the queues change.
	markDelay = 30 * time.Second
	// drainedGarbage and busyGarbage are how many deleted bytes make the maintenance worth its while: when the queues
	// are empty, and when they are not.
	drainedGarbage = 2 << 20
	busyGarbage    = 32 << 20
)

// run is the committer: the only goroutine that writes.
func (s *Store) run() {
	defer close(s.stopped)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		ops, finished := s.in.next()
		if len(ops) > 0 {
			s.commit(ops)
		}
		if finished {
			s.leave()
			return
		}
		next := s.keepHouse()
		if len(ops) > 0 {
			continue
		}
		// Without a deadline nothing fires until somebody pokes.
		timer.Stop()
		var due <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			due = timer.C
		}
		select {
		case <-s.in.wake:
		case <-due:
		}
	}
}

// keepHouse does what is due beside commits. It says when to come again; zero: when something happened.
func (s *Store) keepHouse() (next time.Time) {
	now := time.Now()
	due := func(at time.Time) bool {
		if at.IsZero() || !now.Before(at) {
			return !at.IsZero()
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
		return false
	}
	if due(s.saving()) || s.reapMore {
		s.save()
		if s.reapMore {
			next = now
		}
	}
	if due(s.flushAt) {
		s.flush()
	}
	if s.marks && due(s.marked.Add(markDelay)) {
		if err := s.mark(); err != nil {
			s.log.Warn("cannot write the marker file", "err", err)
		}
	}
	if due(s.maintenance()) {
		s.maintain()
	}
	return next
}

// leave saves everything before the store is closed.
func (s *Store) leave() {
	for more := true; more; {
		s.save()
		s.mu.Lock()
		more = s.usable() == nil && len(s.dirty) > 0
		s.mu.Unlock()
	}
	if s.usableNow() != nil {
		return
	}
	s.meta.clean = 1
	if err := s.mark(); err != nil {
		s.log.Warn("cannot write the marker file", "err", err)
	}
}

// saving says when states are to be saved.
func (s *Store) saving() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return time.Time{}
	}
	return s.saveAt
}

// save writes the states of queues that changed, and deletes dead segments, without a flush of its own.
func (s *Store) save() {
	g := &group{at: map[*queue]*part{}}
	r := s.look(0)
	s.mu.Lock()
	s.saveAt = time.Time{}
	err := s.usable()
	if r == roomNone && err == nil {
		s.saveAt = time.Now().Add(10 * saveDelay)
		s.reapMore = false
		s.mu.Unlock()
		return
	}
	if err == nil {
		err = s.build(g)
	}
	if len(s.dirty) > 0 {
		s.saveAt = time.Now()
	}
	s.mu.Unlock()
	if err != nil || len(g.changes) == 0 {
		s.reapMore = false
		s.tellLosses()
		return
	}
	if err := s.write(g.changes, false); err != nil {
		return // told to everybody already
	}
	s.note(g)
	s.publish(g)
	s.tellLosses()
}

// flush is for sync with an interval.
func (s *Store) flush() {
	s.flushAt = time.Time{}
	if s.usableNow() != nil {
		return
	}
	if err := s.disk.sync(); err != nil {
		s.fail(err)
	}
}
