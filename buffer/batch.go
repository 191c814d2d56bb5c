package buffer

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/edged/edged"
)

// What one batch may hold. A batch beyond it fails with ErrTooBig.
const (
	// MaxMessage bounds a message's payload, in bytes. Topic and properties come on top.
	MaxMessage = 16 << 20
	// MaxRecord bounds a record's value, in bytes; it is a little less than what Badger takes for one value.
	MaxRecord = 4<<20 - 64<<10
	// MaxRecordKey bounds a record's key, in bytes: 60,000, or 3,000 in a 32-bit process, where Badger must not meet
	// an entry that is bigger than a block of a table.
	MaxRecordKey = 3_000 + 57_000*(strconv.IntSize/64)
	// MaxRecords bounds how many records one batch changes.
	MaxRecords = 500
)

// ErrTooBig says that a message or a record is bigger than the store takes; test with errors.Is.
var ErrTooBig = errors.New("too big")

// errForeign: a programming mistake that must not take the store down.
var errForeign = errors.New("the queue is not one of this store")

// Commit keeps b as a whole or not at all; see edged.Store. A batch for more than about 700 queues is spread over
// several transactions, its records in the last: a power cut between them may keep the message for some queues only,
// and then the publisher was not acknowledged. After Close, done is called with edged.ErrClosed from within Commit.
func (s *Store) Commit(b edged.Batch, done func(error)) {
	o := &op{kind: opBatch, batch: b, done: done}
	o.err = s.measure(o)
	s.in.put(o)
}

// measure checks a batch and estimates what it costs.
func (s *Store) measure(o *op) error {
	m := &o.batch.Message
	o.cost = 256
	if len(o.batch.To) > 0 {
		o.cost += messageCost(m)
	}
	if len(m.Payload) > MaxMessage || o.cost > MaxMessage+4<<20 {
		return fmt.Errorf("%w: message on %q has %d bytes; a queue takes at most %d", ErrTooBig, m.Topic, len(m.Payload), MaxMessage)
	}
	for _, d := range o.batch.To {
		if q, ok := d.Queue.(*queue); !ok || q.store != s {
			return fmt.Errorf("deliver message on %q: %w", m.Topic, errForeign)
		}
		o.keys += 2
		o.small += 160
		if o.cost-256 < valueThreshold {
			o.small += o.cost
		}
	}
	if len(o.batch.Put) > MaxRecords {
		return fmt.Errorf("%w: %d records in one batch; at most %d", ErrTooBig, len(o.batch.Put), MaxRecords)
	}
	for _, r := range o.batch.Put {
		if len(r.Key) > MaxRecordKey || len(r.Value) > MaxRecord {
			return fmt.Errorf("%w: record %.100q has a key of %d bytes and a value of %d; at most %d and %d", ErrTooBig, r.Key, len(r.Key), len(r.Value), MaxRecordKey, MaxRecord)
		}
		o.cost += len(r.Key) + len(r.Value)
		o.keys++
		o.small += len(r.Key) + 48
		if len(r.Value) < valueThreshold {
			o.small += len(r.Value)
		}
	}
	return nil
}

func messageCost(m *edged.Message) int {
	n := len(m.Topic) + len(m.Payload) + len(m.From) + 64
	if p := m.Props; p != nil {
		n += len(p.ContentType) + len(p.ResponseTopic) + len(p.CorrelationData) + 32
		for _, u := range p.User {
			n += len(u.Name) + len(u.Value) + 8
		}
	}
	return n
}
