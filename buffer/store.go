package buffer

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/edged/edged"
)

// Options are what the owner of a Store gives it beside its configuration.
type Options struct {
	// Dir is the store's folder, made when it is missing, with mode 0700. It holds
	//
	//	db/                     Badger's files
	//	db.damaged-<time>/      what could not be opened, set aside
	//	marker                  what the store held lately: an empty or older store is known by it
	//	tally                   what came since the marker was written
	//	ballast, ballast.start  8 MiB each to let go when the disk is full, and at a start on a full one
	//	lock                    keeps a second edged out; holds the process id
	Dir string
	// Log hears of damage and of failures; nil: nobody.
	Log *slog.Logger
	// OnLoss hears of each gap in a queue, after the commit that made it, from the store's own goroutine, or from
	// within Open. It must not block, and must not call the store and wait. nil: nobody.
	OnLoss func(edged.Loss)
}

// Store keeps queues of messages and records on disk. It implements edged.Store; its methods may be called from any
// goroutine.
type Store struct {
	cfg      Config
	opts     Options
	log      *slog.Logger
	dir      string
	maxBytes uint64
	db       *badger.DB
	disk     *disk
	lock     *folderLock
	in       intake
	stopped  chan struct{} // the committer has ended
	closing  sync.Once
	closeErr error

	// Owned by the committer.
	meta     meta
	marked   time.Time // when the marker was written
	marks    bool      // something changed since
	above    uint64    // no sequence number reaches it before the marker says so
	flushAt  time.Time // sync: interval; zero: all is flushed
	garbage  uint64    // bytes deleted since the last maintenance
	reapMore bool      // dead segments are left
	narrow   bool      // the disk is full
	cleaned  time.Time // last maintenance
	tally    tally
	mended   bool // a write-ahead log was damaged at the start

	tripped atomic.Pointer[error] // Badger said that something failed

	mu     sync.Mutex
	queues map[string]*queue
	lastID uint32
	base   uint64 // where a new queue's sequence numbers begin, less one
	bytes  uint64 // in all queues
	tail   tail
	dirty  []*queue        // their state is to be saved
	saveAt time.Time       // when, at the latest; zero: none is
	mortal map[*queue]bool // have dead segments
	doomed []uint32        // deleted queues that still have segments
	losses []edged.Loss    // to be told
	failed error
}

var _ edged.Store = (*Store)(nil)

// Queue opens the queue of that name, and makes it if it is new. A new queue is on disk with the next commit.
func (s *Store) Queue(name string, l edged.QueueLimits) (edged.Queue, error) {
	switch l.WhenFull {
	case "":
		l.WhenFull = edged.DropOldest
	case edged.DropOldest, edged.DropNewest, edged.Refuse:
	default:
		return nil, fmt.Errorf("queue %q: %q is not a policy; use drop-oldest, drop-newest or refuse", name, l.WhenFull)
	}
	if l.MaxMessages < 0 || l.MaxBytes < 0 || name == "" || len(name) > 1<<16 {
		return nil, fmt.Errorf("queue %.100q: its name must have 1 to 65536 bytes, and its bounds must not be negative", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, fmt.Errorf("open queue %q: %w", name, err)
	}
	q := s.queues[name]
	if q == nil {
		s.lastID++
		q = s.newQueue(name, s.lastID, state{cursor: s.base + 1, high: s.base + 1, next: s.base + 1})
		q.fresh = true
		if s.touch(q) {
			s.in.poke()
		}
	}
	q.limits = l
	return q, nil
}

// newQueue puts a queue into the store. Under its lock.
func (s *Store) newQueue(name string, id uint32, st state) *queue {
	q := &queue{
		store: s, name: name, id: id, state: st,
		visible: st.next, pos: st.gone.skip(st.cursor),
		flight: map[uint64]slot{}, pending: map[uint64]bool{},
	}
	s.queues[name] = q
	return q
}

// DeleteQueue drops the queue and all that waits in it. Its name is free at once.
func (s *Store) DeleteQueue(name string, done func(error)) {
	s.mu.Lock()
	q := s.queues[name]
	if q != nil {
		delete(s.queues, name)
		q.deleted = true
		q.dropBlocks(q.next)
		q.ahead = nil
		s.bytes -= q.bytes
		q.bytes, q.messages = 0, 0
	}
	s.mu.Unlock()
	o := &op{kind: opDelete, queue: q, done: done, cost: 64, keys: 3, small: 64}
	if q == nil {
		o.kind = opBatch // nothing to do, but in turn
	}
	s.in.put(o)
}

// Queues lists the names of all queues, sorted.
func (s *Store) Queues() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.queues))
	for name := range s.queues {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Records calls f for every record whose key begins with prefix, in key order, as of the last commit. An error of f ends
// it and is returned.
func (s *Store) Records(prefix string, f func(edged.Record) error) error {
	if err := s.usableNow(); err != nil {
		return fmt.Errorf("read records %q: %w", prefix, err)
	}
	return s.db.View(func(t *badger.Txn) error {
		it := t.NewIterator(badger.IteratorOptions{Prefix: recordKey(prefix)})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			r, err := readRecord(it.Item())
			if err != nil {
				return fmt.Errorf("read record %.100q: %w", r.Key, err)
			}
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func readRecord(item *badger.Item) (edged.Record, error) {
	key := item.KeyCopy(nil)
	r := edged.Record{Key: string(key[1:])}
	err := safely(func() error {
		return item.Value(func(v []byte) error {
			body, err := unseal(key, v)
			r.Value = append([]byte{}, body...)
			return err
		})
	})
	return r, err
}

// Close commits what waits, saves the queues' states and lets go of the folder. Commits that come later are done with
// edged.ErrClosed. It returns the error that made the store fail, if one did.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.in.close()
		<-s.stopped
		s.closeErr = s.shutdown()
	})
	return s.closeErr
}

func (s *Store) paths() (db, marker, ballast, lock string) {
	return filepath.Join(s.dir, "db"), filepath.Join(s.dir, "marker"), filepath.Join(s.dir, "ballast"), filepath.Join(s.dir, "lock")
}

// usable gives the error that ends all use of the store. Under its lock.
func (s *Store) usable() error {
	if err := s.tripped.Load(); err != nil && s.failed == nil {
		return s.broken("", *err)
	}
	return s.failed
}

// usableNow is usable without the lock.
func (s *Store) usableNow() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usable()
}

// fail makes err the end of the store: nothing more is acknowledged from it.
func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.broken("", err)
}

// broken is fail under the store's lock. It gives the error that everybody gets from now on.
func (s *Store) broken(what string, err error) error {
	if s.failed == nil {
		if what != "" {
			err = fmt.Errorf("%s: %w", what, err)
		}
		s.failed = fmt.Errorf("%w: %s: %w; nothing more is accepted until it is opened again", edged.ErrStoreFailed, s.dir, err)
		s.log.Error("the store failed", "dir", s.dir, "err", err)
	}
	return s.failed
}
