package buffer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/edged/edged"
)

// resendWindow is how many messages from the cursor on may have been sent before a crash, though the saved state does
// not know of them.
const resendWindow = 1024

// contents is what a freshly opened store was found to hold.
type contents struct {
	meta    meta
	hasMeta bool
	names   map[uint32]string
	states  map[uint32]state
	found   map[uint32]*finding
	doomed  []uint32
	broken  []string // keys that could not be read
	renamed []uint32 // queues whose names are to be written again
}

// finding is what the keys of a queue's segments say.
type finding struct {
	end      uint64 // behind the last segment
	messages uint64 // not done with, by the queue's state
	bytes    uint64
	first    uint64 // first message of the first segment
}

// load reads everything but the messages.
func load(db *badger.DB) (*contents, error) {
	c := &contents{names: map[uint32]string{}, states: map[uint32]state{}, found: map[uint32]*finding{}}
	err := safely(func() error {
		return db.View(func(t *badger.Txn) error {
			for _, kind := range []byte{keyMeta, keyName, keyState, keyDeleted} {
				if err := c.each(t, kind, c.record); err != nil {
					return err
				}
			}
			return c.each(t, keySegment, c.segment)
		})
	})
	return c, err
}

func (c *contents) each(t *badger.Txn, kind byte, f func(*badger.Item) error) error {
	it := t.NewIterator(badger.IteratorOptions{Prefix: []byte{kind}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := f(it.Item()); err != nil {
			c.broken = append(c.broken, fmt.Sprintf("%q: %v", it.Item().Key(), err))
		}
	}
	return nil
}

func (c *contents) record(item *badger.Item) error {
	key := item.Key()
	id, numbered := parseNumberedKey(key)
	if !numbered && key[0] != keyMeta {
		return errDamaged
	}
	if key[0] == keyDeleted {
		c.doomed = append(c.doomed, id)
		return nil
	}
	return item.Value(func(v []byte) error {
		body, err := unseal(key, v)
		if err != nil {
			return err
		}
		switch key[0] {
		case keyMeta:
			c.meta, err = parseMeta(body)
			c.hasMeta = err == nil
		case keyName:
			c.names[id] = string(body)
		case keyState:
			var st state
			if st, err = parseState(body); err == nil {
				c.states[id] = st
			}
		}
		return err
	})
}

func (c *contents) segment(item *badger.Item) error {
	g, part, ok := parseSegmentKey(item.Key())
	if !ok {
		return errDamaged
	}
	if part != 0 {
		return nil
	}
	f := c.found[g.queue]
	if f == nil {
		f = &finding{first: g.first}
		c.found[g.queue] = f
	}
	st := c.states[g.queue]
	f.end = g.end()
	if from := max(g.first, st.cursor); from < g.end() {
		f.messages += g.end() - from - st.gone.count(from, g.end())
		f.bytes += uint64(g.bytes)
	}
	return nil
}

// rename gives queues whose names are lost those that the marker has for them.
func (c *contents) rename(m *marker) {
	if m == nil {
		return
	}
	used := map[string]bool{}
	for _, name := range c.names {
		used[name] = true
	}
	for _, mq := range m.Queues {
		if mq.Next == 0 {
			continue // deleted
		}
		_, known := c.names[mq.ID]
		if _, stored := c.states[mq.ID]; !known && (stored || c.found[mq.ID] != nil) && !used[mq.Name] {
			c.names[mq.ID] = mq.Name
			c.renamed = append(c.renamed, mq.ID)
			used[mq.Name] = true
		}
	}
}

// adopt makes the store's queues of what was found, and says what is missing.
func (s *Store) adopt(c *contents) {
	s.meta, s.base, s.doomed = c.meta, c.meta.base, c.doomed
	for _, key := range c.broken {
		s.log.Error("a record of the store is damaged", "key", key)
	}
	for _, id := range c.doomed {
		s.lastID = max(s.lastID, id)
		delete(c.found, id)
		delete(c.names, id) // when damage undid half of the deletion
	}
	for id, name := range c.names {
		s.lastID = max(s.lastID, id)
		s.adoptQueue(c, id, name)
		delete(c.found, id)
	}
	for id, f := range c.found {
		// The name is gone, and with it whom the messages are for.
		s.lastID = max(s.lastID, id)
		s.doomed = append(s.doomed, id)
		l := edged.Loss{Queue: fmt.Sprintf("#%d", id), Reason: reasonDamaged, First: f.first, Last: f.end - 1, Messages: f.messages, Bytes: f.bytes}
		s.losses = append(s.losses, l)
		s.log.Error("the record of a queue is damaged; its messages are lost", "queue", l.Queue, "messages", l.Messages)
	}
}

func (s *Store) adoptQueue(c *contents, id uint32, name string) {
	st, known := c.states[id]
	f := c.found[id]
	switch {
	case !known && f == nil:
		st = state{cursor: s.base + 1, high: s.base + 1, next: s.base + 1}
	case !known:
		s.log.Error("the state of a queue is damaged; what waits in it is sent again", "queue", name, "messages", f.messages)
		st = state{cursor: f.first, high: f.first, next: f.end, messages: f.messages, bytes: f.bytes}
	}
	if f == nil {
		f = &finding{}
	}
	missing := st.messages // as the state says
	if f.end > st.next {
		missing += f.end - st.next // the newest state is lost, and its segment is not
		st.next, st.bytes = f.end, max(st.bytes, f.bytes)
	}
	missing -= min(missing, f.messages)
	q := s.newQueue(name, id, st)
	q.fresh = slices.Contains(c.renamed, id)
	q.resent = max(q.resent, q.high)
	if c.meta.clean == 0 {
		q.resent = max(q.resent, min(q.next, q.cursor+resendWindow))
	}
	q.die(0, q.cursor)
	for _, r := range q.gone {
		q.die(r.from, r.to)
	}
	if missing > 0 {
		l := edged.Loss{First: q.cursor, Last: q.next - 1, Messages: missing, Bytes: st.bytes - min(st.bytes, f.bytes)}
		s.log.Error("messages of a queue are missing", "queue", name, "messages", l.Messages)
		s.lose(q, reasonDamaged, l)
		q.bytes -= l.Bytes
	}
	q.messages = f.messages
	s.bytes += q.bytes
	s.touch(q)
}

// compare looks whether the store has forgotten something that the marker or the tally knows of. It tells each queue's
// loss, and moves all sequence numbers above those ever used.
func (s *Store) compare(m *marker, noted []markedQueue, c *contents, markerErr error, hadStore bool) {
	switch {
	case m == nil && markerErr == nil:
		if hadStore && c.hasMeta {
			s.log.Warn("the marker file of the store is missing; a new one is written", "dir", s.dir)
		}
		return
	case markerErr != nil:
		s.log.Error("cannot read the marker file; whether the store is complete is not known", "err", markerErr)
		if c.hasMeta || !errors.Is(markerErr, errMarkerDamaged) {
			return
		}
		s.losses = append(s.losses, edged.Loss{Reason: reasonDamaged})
		m = &marker{Above: 1 << 40}
	case c.hasMeta && (c.meta.generation > m.Generation || c.meta.generation == m.Generation && c.meta.serial >= m.Serial):
		if !s.behind(noted) {
			return
		}
		m.Queues = noted
	}
	s.log.Error("the store has forgotten what it held: it is older or emptier than its marker and its tally say", "dir", s.dir,
		"generation", c.meta.generation, "marked_generation", m.Generation, "serial", c.meta.serial, "marked_serial", m.Serial)
	s.meta.generation, s.meta.serial = max(s.meta.generation, m.Generation), max(s.meta.serial, m.Serial)
	for _, mq := range m.Queues {
		s.missed(mq)
	}
	s.base = max(s.base, m.Above)
	s.meta.base = s.base
	for _, q := range s.queues {
		q.jump(s.base + 1)
		s.touch(q)
	}
}

// missed tells what a marked queue has lost.
func (s *Store) missed(mq markedQueue) {
	l := edged.Loss{Queue: mq.Name, Reason: reasonDamaged, First: mq.Cursor, Last: mq.Next - 1, Messages: mq.Messages, Bytes: mq.Bytes}
	if q := s.queues[mq.Name]; q != nil {
		if q.next >= mq.Next {
			return
		}
		l.First = max(mq.Cursor, q.next)
		l.Messages = min(mq.Messages, mq.Next-l.First)
		l.Bytes = mq.Bytes * l.Messages / max(1, mq.Messages)
	}
	if l.Messages > 0 {
		s.losses = append(s.losses, l)
	}
}

// jump moves the queue's next sequence number up.
func (q *queue) jump(to uint64) {
	if to <= q.next {
		return
	}
	if q.messages == 0 {
		q.cursor, q.high, q.pos = to, to, to
		q.gone, q.received = nil, nil
	}
	q.next, q.visible = to, to
}
