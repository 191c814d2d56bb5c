package paho

import (
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/edged/edged"
)

// disk is a queue as it is on disk: what a power cut leaves.
type disk struct {
	mu       sync.Mutex
	msgs     []edged.Queued // msgs[i].Seq == i+1
	acked    map[uint64]bool
	received map[uint64]bool
	records  map[string][]byte
}

func newDisk() *disk {
	return &disk{acked: map[uint64]bool{}, received: map[uint64]bool{}, records: map[string][]byte{}}
}

// memQueue is an edged.Queue and edged.Store in memory, with the contract's promises and no more: what was acknowledged
// since the last commit is forgotten in a power cut, and a commit takes its time.
type memQueue struct {
	disk *disk

	mu       sync.Mutex
	dead     bool // the power was cut: nothing reaches the disk, nobody is called back
	acked    map[uint64]bool
	unsaved  []uint64 // acknowledged since the last commit
	received map[uint64]bool
	leased   map[uint64]bool
	again    map[uint64]bool
	next     int // index of the next message to lease
	notify   func()
	failing  error
	commits  chan func()
	stopped  chan struct{}
	done     sync.WaitGroup
}

// open starts a queue on what is on disk.
func (d *disk) open() *memQueue {
	q := &memQueue{
		disk: d, acked: map[uint64]bool{}, received: map[uint64]bool{}, leased: map[uint64]bool{}, again: map[uint64]bool{},
		commits: make(chan func(), 10_000), stopped: make(chan struct{}),
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	redelivered := 0
	for _, m := range d.msgs {
		switch {
		case d.acked[m.Seq]:
			q.acked[m.Seq] = true
		case redelivered < 1024:
			redelivered++
			q.again[m.Seq] = true
		}
	}
	for seq := range d.received {
		q.received[seq] = true
	}
	q.done.Go(q.store)
	return q
}

// store is the goroutine that commits; acknowledgements are saved with each commit, or after a while.
func (q *memQueue) store() {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-q.stopped:
			return
		case f := <-q.commits:
			f()
		case <-tick.C:
			q.mu.Lock()
			q.save()
			q.mu.Unlock()
		}
	}
}

// cut ends the queue as a power cut does.
func (q *memQueue) cut() {
	q.mu.Lock()
	q.dead = true
	q.mu.Unlock()
	close(q.stopped)
	q.done.Wait()
}

// save is called with mu held.
func (q *memQueue) save() {
	if q.dead {
		return
	}
	q.disk.mu.Lock()
	defer q.disk.mu.Unlock()
	for _, seq := range q.unsaved {
		q.disk.acked[seq] = true
		delete(q.disk.received, seq)
	}
	q.unsaved = nil
}

// append adds messages that are on disk at once.
func (q *memQueue) append(msgs ...edged.Message) {
	q.disk.mu.Lock()
	for _, m := range msgs {
		q.disk.msgs = append(q.disk.msgs, edged.Queued{Message: m, Seq: uint64(len(q.disk.msgs) + 1)})
	}
	q.disk.mu.Unlock()
	q.mu.Lock()
	f := q.notify
	q.mu.Unlock()
	if f != nil {
		f()
	}
}

func (q *memQueue) Name() string { return "uplink/cloud" }

func (q *memQueue) Lease(most int) (out []edged.Queued, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.disk.mu.Lock()
	defer q.disk.mu.Unlock()
	if q.failing != nil {
		return nil, q.failing
	}
	for ; q.next < len(q.disk.msgs) && len(out) < most; q.next++ {
		m := q.disk.msgs[q.next]
		if q.acked[m.Seq] {
			continue
		}
		m.Received, m.Redelivered = q.received[m.Seq], q.again[m.Seq]
		q.leased[m.Seq] = true
		out = append(out, m)
	}
	return out, nil
}

func (q *memQueue) Rewind() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for seq := range q.leased {
		q.again[seq] = true
	}
	clear(q.leased)
	q.next = 0
	for q.acked[uint64(q.next+1)] {
		q.next++
	}
}

func (q *memQueue) Received(seq uint64, done func(error)) {
	q.commits <- func() {
		q.mu.Lock()
		if q.dead {
			q.mu.Unlock()
			return
		}
		err := q.failing
		if err == nil {
			q.received[seq] = true
			q.disk.mu.Lock()
			q.disk.received[seq] = true
			q.disk.mu.Unlock()
			q.save()
		}
		q.mu.Unlock()
		done(err)
	}
}

func (q *memQueue) Ack(seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.acked[seq] = true
	q.unsaved = append(q.unsaved, seq)
	delete(q.leased, seq)
}

func (q *memQueue) Notify(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.notify = f
}

func (q *memQueue) Stats() edged.QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.disk.mu.Lock()
	defer q.disk.mu.Unlock()
	s := edged.QueueStats{Cursor: 1, Next: uint64(len(q.disk.msgs) + 1), Messages: len(q.disk.msgs) - len(q.acked)}
	for q.acked[s.Cursor] {
		s.Cursor++
	}
	return s
}

// The part of edged.Store that an uplink uses.

func (q *memQueue) Commit(b edged.Batch, done func(error)) {
	q.commits <- func() {
		q.mu.Lock()
		if q.dead {
			q.mu.Unlock()
			return
		}
		err := q.failing
		if err == nil {
			q.disk.mu.Lock()
			for _, r := range b.Put {
				if r.Value == nil {
					delete(q.disk.records, r.Key)
				} else {
					q.disk.records[r.Key] = r.Value
				}
			}
			q.disk.mu.Unlock()
			q.save()
		}
		q.mu.Unlock()
		done(err)
	}
}

func (q *memQueue) Records(prefix string, f func(edged.Record) error) error {
	q.disk.mu.Lock()
	defer q.disk.mu.Unlock()
	var keys []string
	for k := range q.disk.records {
		if len(k) >= len(prefix) && k[:len(prefix)] == prefix {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		if err := f(edged.Record{Key: k, Value: q.disk.records[k]}); err != nil {
			return err
		}
	}
	return nil
}

func (q *memQueue) Queue(string, edged.QueueLimits) (edged.Queue, error) { return q, nil }
func (q *memQueue) DeleteQueue(_ string, done func(error))               { done(errors.New("not here")) }
func (q *memQueue) Queues() []string                                     { return []string{q.Name()} }
