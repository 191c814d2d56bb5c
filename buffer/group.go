package buffer

import (
	"fmt"
	"time"

	"github.com/edged/edged"
)

// group is what becomes one transaction.
type group struct {
	parts    []*part
	at       map[*queue]*part
	bytes    uint64 // of all parts
	spare    uint64 // what drop-oldest could free in the whole store, once looked up
	looked   bool
	received []*op
	saved    []*queue // their states are among the changes
	deleted  []*queue
	records  []edged.Record
	changes  []change
}

// part is what one queue gets from a group.
type part struct {
	q       *queue
	entries []entry
	body    []byte // all entries, encoded
}

// change is a key to set, or to delete when the value is nil.
type change struct{ key, value []byte }

// admit takes an operation into the group, or says why not. Under the store's lock.
func (s *Store) admit(g *group, o *op, r room) error {
	if o.err != nil {
		return o.err
	}
	if r == roomNone {
		return s.diskFull()
	}
	switch o.kind {
	case opReceived:
		if o.queue.pending[o.seq] {
			o.queue.received.add(o.seq, o.seq+1)
			s.touch(o.queue)
			g.received = append(g.received, o)
		}
	case opDelete:
		g.changes = append(g.changes,
			change{key: numberedKey(keyName, o.queue.id)},
			change{key: numberedKey(keyState, o.queue.id)},
			change{key: numberedKey(keyDeleted, o.queue.id), value: []byte{1}})
		s.doomed = append(s.doomed, o.queue.id)
		g.deleted = append(g.deleted, o.queue)
	case opBatch:
		return s.admitBatch(g, o, r)
	}
	return nil
}

func (s *Store) admitBatch(g *group, o *op, r room) error {
	b := &o.batch
	if r < roomPlenty && adds(b) {
		return s.diskFull()
	}
	size := uint64(messageCost(&b.Message))
	for _, d := range b.To {
		q := d.Queue.(*queue)
		if q.limits.WhenFull == edged.Refuse && !q.deleted && s.full(g, q, size) {
			return fmt.Errorf("queue %s holds %d messages, %d bytes: %w", q.name, q.messages, q.bytes, edged.ErrQueueFull)
		}
	}
	for _, d := range b.To {
		s.deliver(g, b.Message, d, size)
	}
	g.records = append(g.records, b.Put...)
	return nil
}

// adds says whether a batch needs room, rather than making some.
func adds(b *edged.Batch) bool {
	if len(b.To) > 0 {
		return true
	}
	for _, r := range b.Put {
		if r.Value != nil {
			return true
		}
	}
	return false
}

func (s *Store) diskFull() error {
	return fmt.Errorf("less than %v is free in %s: %w", s.cfg.MinFreeDisk, s.dir, edged.ErrDiskFull)
}

// deliver gives one queue its copy.
func (s *Store) deliver(g *group, m edged.Message, d edged.Delivery, size uint64) {
	q := d.Queue.(*queue)
	if q.deleted {
		return // its subscriber is gone, and has nothing to lose
	}
	tooBig := q.limits.MaxBytes > 0 && size > uint64(q.limits.MaxBytes)
	if q.limits.WhenFull == edged.DropNewest && s.full(g, q, size) || tooBig {
		s.touch(q)
		s.lose(q, string(q.limits.WhenFull), edged.Loss{Messages: 1, Bytes: size, FirstTime: m.Time, LastTime: m.Time})
		return
	}
	p := g.at[q]
	if p == nil {
		p = &part{q: q}
		g.at[q] = p
		g.parts = append(g.parts, p)
	}
	m.QoS, m.Retain = d.QoS, d.Retain
	before := len(p.body)
	p.body = appendEntry(p.body, &m, d.Identifiers)
	stored := len(p.body) - before
	p.entries = append(p.entries, entry{msg: m, ids: d.Identifiers, size: uint32(stored)})
	g.bytes += uint64(stored)
}

// full says whether a queue, or the store, has no room for size more bytes.
func (s *Store) full(g *group, q *queue, size uint64) bool {
	messages, bytes := q.messages, q.bytes
	if p := g.at[q]; p != nil {
		messages += uint64(len(p.entries))
		bytes += uint64(len(p.body))
	}
	l := q.limits
	if l.MaxMessages > 0 && messages >= uint64(l.MaxMessages) || l.MaxBytes > 0 && bytes+size > uint64(l.MaxBytes) {
		return true
	}
	total := s.bytes + g.bytes + size
	if total <= s.maxBytes {
		return false
	}
	if !g.looked {
		g.looked = true
		for _, other := range s.queues {
			if other.evictable() {
				g.spare += other.bytes
			}
		}
	}
	return total > s.maxBytes+g.spare
}

// build turns the group into changes. Under the store's lock.
func (s *Store) build(g *group) error {
	for _, p := range g.parts {
		if err := s.makeRoom(p); err != nil {
			return err
		}
	}
	if err := s.makeRoomForAll(g); err != nil {
		return err
	}
	for _, p := range g.parts {
		s.cut(g, p)
	}
	if err := s.reap(g); err != nil {
		return err
	}
	s.saveStates(g)
	for _, r := range g.records {
		c := change{key: recordKey(r.Key)}
		if r.Value != nil {
			c.value = sealed(c.key, r.Value)
		}
		g.changes = append(g.changes, c)
	}
	return nil
}

// cut gives a part's messages their numbers and makes segments of them.
func (s *Store) cut(g *group, p *part) {
	q := p.q
	maxCount, maxSize := segmentLimits(q.limits)
	body := p.body
	for i := 0; i < len(p.entries); {
		seg := segment{queue: q.id, first: q.next, firstTime: millis(p.entries[i].msg.Time)}
		for n := 0; i < len(p.entries) && n < maxCount && (n == 0 || int(seg.bytes)+int(p.entries[i].size) <= maxSize); n++ {
			e := &p.entries[i]
			e.seq = q.next
			q.next++
			seg.count++
			seg.bytes += e.size
			seg.lastTime = millis(e.msg.Time)
			i++
		}
		value := body[:seg.bytes]
		body = body[seg.bytes:]
		for n := range seg.parts() {
			key := seg.key(byte(n))
			g.changes = append(g.changes, change{key, sealed(key, value[:min(len(value), maxPart)])})
			value = value[min(len(value), maxPart):]
		}
		q.messages += uint64(seg.count)
		q.bytes += uint64(seg.bytes)
		s.bytes += uint64(seg.bytes)
		q.appended += uint64(seg.count)
	}
	s.touch(q)
}

// segmentLimits keeps segments small where the queue is, since eviction goes by whole segments.
func segmentLimits(l edged.QueueLimits) (count, size int) {
	count, size = 1024, groupBytes
	if l.MaxMessages > 0 {
		count = max(1, min(count, l.MaxMessages/8))
	}
	if l.MaxBytes > 0 {
		size = int(max(1, min(int64(size), l.MaxBytes/8)))
	}
	return count, size
}

// maxStates bounds how many queues' acknowledgements are saved along with one group.
const maxStates = 100

// saveStates adds the state records: of all queues that got messages, and of others that changed.
func (s *Store) saveStates(g *group) {
	room := maxStates
	rest := s.dirty[:0]
	for _, q := range s.dirty {
		if g.at[q] == nil && !q.fresh {
			if room == 0 {
				rest = append(rest, q)
				continue
			}
			room--
		}
		q.dirty = false
		if q.deleted {
			continue
		}
		if q.fresh {
			q.fresh = false
			key := numberedKey(keyName, q.id)
			g.changes = append(g.changes, change{key, sealed(key, []byte(q.name))})
		}
		key := numberedKey(keyState, q.id)
		g.changes = append(g.changes, change{key, sealed(key, q.append(nil))})
		g.saved = append(g.saved, q)
	}
	clear(s.dirty[len(rest):])
	s.dirty = rest
	if len(rest) == 0 {
		s.saveAt = time.Time{}
	}
}
