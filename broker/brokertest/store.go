package brokertest

import (
	"sync"

	"github.com/edged/edged"
	"github.com/edged/edged/broker/internal/memstore"
)

// Store is an edged.Store in memory that can be made to wait, to fail, and to lose its power.
type Store struct {
	mu      sync.Mutex
	inner   *memstore.Store
	held    bool
	waiting []commit
	fault   error
	once    bool // fault is for the next commit alone
	commits int
	changed chan struct{} // closed and replaced when waiting or commits changes
}

type commit struct {
	run   func(done func(error))
	done  func(error)
	fence *edged.Fence
}

// NewStore makes an empty store.
func NewStore() *Store { return &Store{inner: memstore.New(), changed: make(chan struct{})} }

// Hold lets commits wait until Release.
func (s *Store) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// Release does what waits, in order.
func (s *Store) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	for _, c := range s.waiting {
		s.do(c)
	}
	s.waiting = nil
}

// Fail makes commits fail with err from now on; nil: no more.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

// FailOnce fails the next commit that is carried out.
func (s *Store) FailOnce(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.once = err, true
}

// Waiting says how many commits are held, and Commits how many were asked for; the channel is closed when either changes.
func (s *Store) Waiting() (waiting, commits int, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting), s.commits, s.changed
}

// PowerCut returns a store with what was committed. Commits that are held, and all that come to the old store later, are lost
// and fail with edged.ErrClosed.
func (s *Store) PowerCut() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	after := &Store{inner: s.inner.PowerCut(), changed: make(chan struct{})}
	s.fault, s.held = edged.ErrClosed, false
	for _, c := range s.waiting {
		s.do(c)
	}
	s.waiting = nil
	return after
}

func (s *Store) submit(c commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	close(s.changed)
	s.changed = make(chan struct{})
	switch {
	case s.held:
		s.waiting = append(s.waiting, c)
	default:
		s.do(c)
	}
}

func (s *Store) do(c commit) {
	if c.done == nil {
		c.done = func(error) {}
	}
	err := c.fence.Err()
	if err == nil && s.fault != nil {
		err = s.fault
		if s.once {
			s.fault, s.once = nil, false
		}
	}
	if err != nil {
		c.fence.Fail(err)
		c.done(err)
		return
	}
	c.run(c.done)
}

// Commit implements edged.Store.
func (s *Store) Commit(b edged.Batch, done func(error)) {
	b.To = append([]edged.Delivery(nil), b.To...)
	for i := range b.To {
		b.To[i].Queue = b.To[i].Queue.(*Queue).Queue
	}
	s.submit(commit{run: func(done func(error)) { s.inner.Commit(b, done) }, done: done, fence: b.Fence})
}

// Queue implements edged.Store.
func (s *Store) Queue(name string, l edged.QueueLimits) (edged.Queue, error) {
	q, err := s.inner.Queue(name, l)
	if err != nil {
		return nil, err
	}
	return &Queue{Queue: q, store: s}, nil
}

// DeleteQueue implements edged.Store.
func (s *Store) DeleteQueue(name string, done func(error)) {
	s.submit(commit{run: func(done func(error)) { s.inner.DeleteQueue(name, done) }, done: done})
}

// Queues implements edged.Store.
func (s *Store) Queues() []string { return s.inner.Queues() }

// Records implements edged.Store.
func (s *Store) Records(prefix string, f func(edged.Record) error) error {
	return s.inner.Records(prefix, f)
}

// Queue is a queue of a Store, with the same faults.
type Queue struct {
	edged.Queue
	store *Store
}

// Received implements edged.Queue.
func (q *Queue) Received(seq uint64, done func(error)) {
	q.store.submit(commit{run: func(done func(error)) { q.Queue.Received(seq, done) }, done: done})
}
