package buffer

import (
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// restDelay is the least time between two rounds of maintenance, each of which stops writes for some 20 ms.
const restDelay = 2 * time.Second

// maxCollected bounds the value log files that one round unlinks.
const maxCollected = 64

// maintenance says when the next round is due.
func (s *Store) maintenance() time.Time {
	s.mu.Lock()
	enough := uint64(busyGarbage)
	if s.bytes == 0 {
		enough = drainedGarbage
	}
	if s.failed != nil || s.reapMore || s.garbage < enough {
		s.mu.Unlock()
		return time.Time{}
	}
	s.mu.Unlock()
	return s.cleaned.Add(restDelay)
}

// maintain gives the disk space of drained segments back. Badger's value log only knows what is garbage once deletions
// were compacted: dropping a throw-away key flushes the memtable and compacts, and then drained files are unlinked.
func (s *Store) maintain() {
	s.cleaned = time.Now()
	if s.usableNow() != nil {
		return
	}
	err := s.disk.sync()
	if err == nil {
		err = safely(s.collect)
	}
	if err != nil {
		s.fail(err)
	}
}

func (s *Store) collect() error {
	s.garbage = 0
	err := s.db.Update(func(t *badger.Txn) error { return t.Set([]byte{keyGarbage}, nil) })
	if err == nil {
		err = s.db.DropPrefix([]byte{keyGarbage})
	}
	if err != nil {
		return err
	}
	// While an iterator is open, files are not unlinked: what was moved out of them must be on disk first.
	return s.db.View(func(t *badger.Txn) error {
		it := t.NewIterator(badger.IteratorOptions{Prefix: []byte{keyGarbage}})
		defer it.Close()
		for n := 0; ; n++ {
			if n == maxCollected {
				s.garbage = busyGarbage // more to do: another round
				break
			}
			err := s.db.RunValueLogGC(0.9)
			if errors.Is(err, badger.ErrNoRewrite) {
				break
			}
			if err != nil {
				return err
			}
		}
		if err := s.disk.scan(); err != nil {
			return err
		}
		return s.disk.sync()
	})
}
