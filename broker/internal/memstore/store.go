// Package memstore is an edged.Store in memory: for a broker that was given none, and, with a power cut of its own, for
// tests.
//
// It commits at once, in the goroutine that calls Commit. What it keeps is gone with the process.
package memstore

import (
	"slices"
	"strings"
	"sync"

	"github.com/edged/edged"
)

// Store implements edged.Store. Make it with New.
type Store struct {
	commits sync.Mutex // held over a commit and its done, so that dones come in order
	mu      sync.Mutex // guards what follows, and every queue
	queues  map[string]*Queue
	records map[string][]byte
	acked   map[*Queue]struct{} // queues with acknowledgements to be saved by the next commit
}

// New makes an empty store.
func New() *Store {
	return &Store{queues: map[string]*Queue{}, records: map[string][]byte{}, acked: map[*Queue]struct{}{}}
}

// Commit implements edged.Store.
func (s *Store) Commit(b edged.Batch, done func(error)) {
	s.commits.Lock()
	defer s.commits.Unlock()
	notify, err := s.apply(b)
	if done != nil {
		done(err)
	}
	for _, f := range notify {
		f()
	}
}

func (s *Store) apply(b edged.Batch) (notify []func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range b.To {
		if q := d.Queue.(*Queue); q.limits.WhenFull == edged.Refuse && q.full() {
			return nil, edged.ErrQueueFull
		}
	}
	for _, d := range b.To {
		q := d.Queue.(*Queue)
		if q.append(b.Message, d) && q.notify != nil {
			notify = append(notify, q.notify)
		}
	}
	for _, r := range b.Put {
		if r.Value == nil {
			delete(s.records, r.Key)
		} else {
			s.records[r.Key] = r.Value
		}
	}
	for q := range s.acked {
		q.save()
	}
	return notify, nil
}

// Queue implements edged.Store.
func (s *Store) Queue(name string, l edged.QueueLimits) (edged.Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil {
		q = &Queue{store: s, name: name, first: 1, next: 1}
		s.queues[name] = q
	}
	q.limits = l
	return q, nil
}

// DeleteQueue implements edged.Store.
func (s *Store) DeleteQueue(name string, done func(error)) {
	s.commits.Lock()
	defer s.commits.Unlock()
	s.mu.Lock()
	delete(s.queues, name)
	s.mu.Unlock()
	if done != nil {
		done(nil)
	}
}

// Queues implements edged.Store.
func (s *Store) Queues() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.queues {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Records implements edged.Store.
func (s *Store) Records(prefix string, f func(edged.Record) error) error {
	s.mu.Lock()
	var found []edged.Record
	for k, v := range s.records {
		if strings.HasPrefix(k, prefix) {
			found = append(found, edged.Record{Key: k, Value: v})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(found, func(a, b edged.Record) int { return strings.Compare(a.Key, b.Key) })
	for _, r := range found {
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// PowerCut returns what a store on disk would hold after a power cut at this moment: what was committed; acknowledgements
// since the last commit are forgotten. The old store must not be used any more.
func (s *Store) PowerCut() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	cut := New()
	for k, v := range s.records {
		cut.records[k] = v
	}
	for name, q := range s.queues {
		cut.queues[name] = q.afterPowerCut(cut)
	}
	return cut
}
