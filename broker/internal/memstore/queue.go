package memstore

import (
	"slices"

	"github.com/edged/edged"
)

// Queue implements edged.Queue; the store's mutex guards it.
//
//	items:  first ── acknowledged, not saved ── leased ── waiting ── next
//	                                             ▲ lease
type Queue struct {
	store  *Store
	name   string
	limits edged.QueueLimits
	notify func()

	items       []item
	first, next uint64 // sequence numbers of items[0] and of the next message
	lease       int    // index in items of what Lease gives out next
	bytes       int64
	waiting     int // items that are not acknowledged
	unsaved     int // acknowledged items still held
	stats       edged.QueueStats
}

type item struct {
	queued        edged.Queued
	size          int64
	leased, acked bool
	everLeased    bool
}

// Name implements edged.Queue.
func (q *Queue) Name() string { return q.name }

func (q *Queue) full() bool {
	return q.limits.MaxMessages > 0 && q.waiting >= q.limits.MaxMessages || q.limits.MaxBytes > 0 && q.bytes >= q.limits.MaxBytes
}

func (q *Queue) append(m edged.Message, d edged.Delivery) bool {
	size := int64(len(m.Topic) + len(m.Payload) + 32)
	for q.full() {
		if q.limits.WhenFull == edged.DropNewest || !q.dropOldest() {
			q.stats.Lost++
			q.stats.LostBytes += uint64(size)
			return false
		}
	}
	m.QoS, m.Retain = d.QoS, d.Retain
	q.items = append(q.items, item{queued: edged.Queued{Message: m, Seq: q.next, Identifiers: d.Identifiers}, size: size})
	q.next++
	q.waiting++
	q.bytes += size
	q.stats.Appended++
	return true
}

// dropOldest drops the oldest message that is not in flight.
func (q *Queue) dropOldest() bool {
	for i := q.lease; i < len(q.items); i++ {
		if it := &q.items[i]; !it.acked {
			q.stats.Lost++
			q.stats.LostBytes += uint64(it.size)
			q.gone(it)
			return true
		}
	}
	return false
}

func (q *Queue) gone(it *item) {
	it.acked, it.leased = true, false
	q.waiting--
	q.bytes -= it.size
	q.unsaved++
	q.store.acked[q] = struct{}{}
}

// Lease implements edged.Queue.
func (q *Queue) Lease(most int) ([]edged.Queued, error) {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	var out []edged.Queued
	for ; q.lease < len(q.items) && len(out) < most; q.lease++ {
		it := &q.items[q.lease]
		if it.acked {
			continue
		}
		it.queued.Redelivered = it.everLeased
		it.leased, it.everLeased = true, true
		out = append(out, it.queued)
	}
	return out, nil
}

// Rewind implements edged.Queue.
func (q *Queue) Rewind() {
	q.store.mu.Lock()
	q.rewind()
	f := q.notify
	wake := q.waiting > 0 && f != nil
	q.store.mu.Unlock()
	if wake {
		f()
	}
}

func (q *Queue) rewind() {
	q.lease = 0
	for i := range q.items {
		q.items[i].leased = false
	}
}

func (q *Queue) find(seq uint64) *item {
	if seq < q.first || seq-q.first >= uint64(len(q.items)) || q.items[seq-q.first].acked {
		return nil
	}
	return &q.items[seq-q.first]
}

// Received implements edged.Queue.
func (q *Queue) Received(seq uint64, done func(error)) {
	q.store.Commit(edged.Batch{}, func(err error) {
		q.store.mu.Lock()
		if it := q.find(seq); it != nil {
			it.queued.Received = true
		}
		q.store.mu.Unlock()
		if done != nil {
			done(err)
		}
	})
}

// Ack implements edged.Queue.
func (q *Queue) Ack(seq uint64) {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	if it := q.find(seq); it != nil {
		q.gone(it)
		q.stats.Acked++
	}
	if q.unsaved > 1024 {
		q.save()
	}
}

// save forgets the acknowledged messages at the head.
func (q *Queue) save() {
	n := 0
	for n < len(q.items) && q.items[n].acked {
		n++
	}
	clear(q.items[:n]) // let go of the payloads
	q.items = q.items[n:]
	q.first += uint64(n)
	q.lease = max(q.lease-n, 0)
	q.unsaved = max(q.unsaved-n, 0)
	delete(q.store.acked, q)
}

// Notify implements edged.Queue.
func (q *Queue) Notify(f func()) {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	q.notify = f
}

// Stats implements edged.Queue.
func (q *Queue) Stats() edged.QueueStats {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	st := q.stats
	st.Cursor, st.Next, st.Messages, st.Bytes = q.next, q.next, q.waiting, q.bytes
	for i := len(q.items) - 1; i >= 0; i-- {
		if it := &q.items[i]; !it.acked {
			st.Cursor, st.Oldest = it.queued.Seq, it.queued.Time
			if it.leased {
				st.InFlight++
			}
		}
	}
	return st
}

func (q *Queue) afterPowerCut(s *Store) *Queue {
	cut := &Queue{store: s, name: q.name, limits: q.limits, first: q.first, next: q.next, stats: q.stats}
	cut.items = slices.Clone(q.items)
	for i := range cut.items {
		it := &cut.items[i]
		it.leased, it.acked = false, false
		cut.bytes += it.size
	}
	cut.waiting = len(cut.items)
	return cut
}
