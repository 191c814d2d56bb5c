package buffer

import (
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// commit makes one transaction of ops, flushes it, and tells each of them in turn.
func (s *Store) commit(ops []*op) {
	cost := 0
	for _, o := range ops {
		cost += o.cost * max(1, len(o.batch.To))
	}
	r := s.look(cost)
	g := &group{at: map[*queue]*part{}}
	results := make([]error, len(ops))
	var freed []func()

	s.mu.Lock()
	err := s.usable()
	for i, o := range ops {
		if results[i] = o.err; o.err == nil {
			results[i] = o.batch.Fence.Err()
		}
		if err == nil && results[i] == nil {
			results[i] = s.admit(g, o, r)
		}
		o.batch.Fence.Fail(results[i])
		if results[i] != nil && o.kind == opReceived {
			delete(o.queue.pending, o.seq) // or Lease would hold back behind it for ever
			if o.queue.notify != nil {
				freed = append(freed, o.queue.notify)
			}
		}
	}
	if err == nil {
		err = s.build(g)
	}
	s.mu.Unlock()
	for _, f := range freed {
		f()
	}

	if err == nil {
		s.reserve(g)
	}
	for _, o := range g.deleted {
		s.noteOne(o, markedQueue{Name: o.name, ID: o.id}) // before it is gone: its messages are nobody's loss
	}
	if err == nil && len(g.changes) > 0 {
		err = s.write(g.changes, s.cfg.Sync == SyncAlways)
	}
	if err != nil {
		for i := range results {
			if results[i] == nil {
				results[i] = err
				ops[i].batch.Fence.Fail(err)
			}
		}
	} else {
		s.note(g)
		s.publish(g)
	}
	s.tellLosses()
	for i, o := range ops {
		if o.done != nil {
			o.done(results[i])
		}
	}
}

// look compares the free space of the disk with the reserve, and lets go of the ballast where there is none.
func (s *Store) look(cost int) room {
	r := s.disk.room(cost)
	if r != roomPlenty {
		if err := s.disk.dropBallast(); err != nil {
			s.log.Warn("cannot remove the ballast file", "err", err)
		}
	}
	if (r != roomPlenty) != s.narrow {
		s.narrow = !s.narrow
		if s.narrow {
			s.log.Error("the disk is full: no messages are accepted", "dir", s.dir, "min_free_disk", s.cfg.MinFreeDisk.String())
		} else {
			s.log.Info("the disk has room again", "dir", s.dir)
			s.disk.loadBallast()
		}
	}
	return r
}

// reserve makes sure that the marker knows of the sequence numbers of g before they are used.
func (s *Store) reserve(g *group) {
	var highest uint64
	for _, p := range g.parts {
		highest = max(highest, p.q.next)
	}
	if highest < s.above {
		return
	}
	if err := s.mark(); err != nil {
		// The queues are as they should be; only a lost store would not be known in full.
		s.log.Warn("cannot write the marker file", "err", err)
		s.above = highest + 4096
	}
}

// write commits changes to Badger, and flushes them to disk when it must be now.
func (s *Store) write(changes []change, now bool) error {
	err := safely(func() error { return s.transact(changes) })
	// A value in the value log is flushed in any case: an older state record must not give way to one that a power cut
	// leaves pointing nowhere.
	if now && err == nil || s.disk.vlogDirty && s.cfg.Sync == SyncAlways && err == nil {
		err = s.disk.sync()
		s.flushAt = time.Time{}
	} else if s.flushAt.IsZero() && s.cfg.Sync != SyncAlways {
		s.flushAt = time.Now().Add(time.Duration(s.cfg.Sync))
	}
	if err != nil {
		s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usable()
}

// transact spreads changes over as few transactions as Badger takes them in: nearly always one.
func (s *Store) transact(changes []change) error {
	t := s.db.NewTransaction(true)
	defer func() { t.Discard() }()
	for _, c := range changes {
		if len(c.value) >= valueThreshold {
			s.disk.vlogDirty = true
		}
		err := c.apply(t)
		if errors.Is(err, badger.ErrTxnTooBig) {
			if err := s.finish(t); err != nil {
				return err
			}
			t = s.db.NewTransaction(true)
			err = c.apply(t)
		}
		if err != nil {
			return err
		}
	}
	return s.finish(t)
}

// finish commits, and follows at once: a log that is rotated away may be gone after the next commit.
func (s *Store) finish(t *badger.Txn) error {
	return errors.Join(t.Commit(), s.disk.follow())
}

func (c change) apply(t *badger.Txn) error {
	if c.value == nil {
		return t.Delete(c.key)
	}
	return t.Set(c.key, c.value)
}

// publish makes what was committed visible to the queues' consumers.
func (s *Store) publish(g *group) {
	s.marks = s.marks || len(g.parts) > 0
	notify := make([]func(), 0, len(g.parts)+len(g.received))
	tell := func(q *queue) {
		if q.notify != nil && !q.deleted {
			notify = append(notify, q.notify)
		}
	}
	s.mu.Lock()
	for _, p := range g.parts {
		p.q.visible = p.q.next
		if len(p.entries) > 0 && !p.q.deleted {
			s.tail.push(p.q, p.entries)
			tell(p.q)
		}
	}
	for _, o := range g.received {
		delete(o.queue.pending, o.seq)
		tell(o.queue)
	}
	s.mu.Unlock()
	for _, f := range notify {
		f()
	}
}
