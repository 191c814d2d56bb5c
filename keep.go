package edged

import (
	"errors"
	"sync/atomic"
	"time"
)

// Store keeps what must outlive the process: queues of messages, and small records beside them.
//
// Everything is committed by one writer in the order of the Commit calls; many batches share one flush to disk.
type Store interface {
	// Commit keeps b as a whole or not at all. It does not wait: done is called exactly once, in the order of the
	// Commit calls, from the store's own goroutine, so it must not block and must not call Commit and wait. done may
	// be nil. Commit itself blocks only while the store's own intake is full (its memory is bounded).
	Commit(b Batch, done func(error))
	// Queue opens the queue of that name, and makes it if it is new. A second call with the same name returns the same
	// queue with the new limits.
	Queue(name string, l QueueLimits) (Queue, error)
	// DeleteQueue drops the queue and all that waits in it; done as for Commit. A name without a queue is no error.
	DeleteQueue(name string, done func(error))
	// Queues lists the names of all queues, sorted.
	Queues() []string
	// Records calls f for every record whose key begins with prefix, in key order, as of the last commit.
	Records(prefix string, f func(Record) error) error
}

// Batch is what one commit keeps: a message for some queues, and changes to records.
type Batch struct {
	Message Message
	// To names the queues that get the message; empty: the message is not kept.
	To []Delivery
	// Put sets records; one with a nil Value deletes its key.
	Put []Record
	// Fence ties this batch to those before it; nil: it stands alone.
	Fence *Fence
}

// Fence keeps the order of batches of which one may fail: once the store has failed a batch of a fence, it fails all later ones of it,
// too, so that their publisher can commit them again in order. Without it, a disk that is full for a moment would let a message
// overtake the one before it. The zero value is ready; its methods may be called on nil.
type Fence struct{ failed atomic.Pointer[error] }

// Fail is for stores: it notes the error of a batch, unless it is nil.
func (f *Fence) Fail(err error) {
	if f != nil && err != nil {
		f.failed.CompareAndSwap(nil, &err)
	}
}

// Err is for stores: the error that a batch of the fence fails with now; nil: none.
func (f *Fence) Err() error {
	if f == nil {
		return nil
	}
	if err := f.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Delivery is one queue's copy of a batch's message, with what differs from queue to queue.
type Delivery struct {
	Queue Queue
	// QoS is the level granted: the lower one of the message's and the subscription's.
	QoS QoS
	// Retain is the flag this subscriber is to see.
	Retain bool
	// Identifiers are the subscription identifiers of all matching subscriptions.
	Identifiers []uint32
}

// Record is a small value under a key, such as a session's subscriptions or a retained message. Keys are grouped by
// prefix: "session/", "retained/", ….
type Record struct {
	Key   string
	Value []byte
}

// Queue is a durable subscriber's queue. Sequence numbers begin at 1, grow by one a message, and are never reused.
//
// A message is waiting, then leased, then (QoS 2) received, then acknowledged:
//
//	       Lease              Received (PUBREC)          Ack (PUBACK, PUBCOMP)
//	waiting ────► in flight ──────────────────► received ─────► gone
//	    ▲             │                             │
//	    └── Rewind ───┴────────── Rewind ───────────┘   (leased again, in order, marked Redelivered)
//
// One consumer uses a queue at a time; the methods are safe to call from several goroutines.
type Queue interface {
	Name() string
	// Lease returns the next messages in order, at most max, and none when nothing waits. It does not block for more.
	Lease(max int) ([]Queued, error)
	// Rewind gives back every lease: what was not acknowledged is leased again.
	Rewind()
	// Received notes on disk that the peer has taken over a QoS 2 message (PUBREC): from then on only PUBREL is sent
	// for it. done as for Store.Commit.
	Received(seq uint64, done func(error))
	// Ack completes a message. It is saved with the next commit, within a second; a crash before that leases the
	// message again.
	Ack(seq uint64)
	// Notify sets f to be called, without blocking, whenever messages may have become available to Lease. nil: nobody.
	Notify(f func())
	Stats() QueueStats
}

// Queued is a leased message.
type Queued struct {
	Message
	Seq uint64
	// Received: the peer has the message already and awaits PUBREL.
	Received bool
	// Redelivered: it may have been sent before (the DUP flag).
	Redelivered bool
	// Identifiers are the subscription identifiers it was queued with.
	Identifiers []uint32
}

// QueueLimits bound a queue.
type QueueLimits struct {
	// MaxMessages and MaxBytes bound what waits, bytes as stored; 0: no bound.
	MaxMessages int
	MaxBytes    int64
	// WhenFull says what gives way.
	WhenFull FullPolicy
}

// FullPolicy says what a full queue does with the next message.
type FullPolicy string

// The policies. What is dropped is counted in QueueStats, and told to the function given to the store for losses.
const (
	// DropOldest deletes from the head, never what is in flight.
	DropOldest FullPolicy = "drop-oldest"
	// DropNewest acknowledges and discards the new message.
	DropNewest FullPolicy = "drop-newest"
	// Refuse fails the commit with ErrQueueFull: the publisher is not acknowledged and keeps the message.
	Refuse FullPolicy = "refuse"
)

// QueueStats describe a queue at one moment.
type QueueStats struct {
	// Cursor is the sequence number below which all is acknowledged; Next is what the next message will get.
	Cursor, Next uint64
	// Messages and Bytes wait or are in flight, bytes as stored.
	Messages int
	Bytes    int64
	InFlight int
	// Oldest is when the oldest waiting message was received; zero: nothing waits.
	Oldest time.Time
	// Appended and Acked count since the queue was made; they survive restarts, Acked up to what the last second lost.
	Appended, Acked uint64
	// Lost counts what bounds dropped, in messages and bytes, since the queue was made.
	Lost, LostBytes uint64
}

// Loss is a gap in a queue: messages that were accepted, or would have been, and will not be delivered.
type Loss struct {
	Queue string `json:"queue"`
	// Reason is "drop-oldest", "drop-newest", "damaged", ….
	Reason string `json:"reason"`
	// First and Last are the sequence numbers of the gap, both zero when the messages never got one.
	First    uint64 `json:"first_seq"`
	Last     uint64 `json:"last_seq"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
	// FirstTime and LastTime are when the first and the last lost message was received.
	FirstTime time.Time `json:"first_time"`
	LastTime  time.Time `json:"last_time"`
}

// Errors of a Store; test with errors.Is.
var (
	// ErrQueueFull: a queue with the policy refuse is full.
	ErrQueueFull = errors.New("queue full")
	// ErrDiskFull: less space is free than the configured reserve.
	ErrDiskFull = errors.New("disk full")
	// ErrStoreFailed: an I/O error was seen; nothing more is acknowledged from this store until it is opened again.
	ErrStoreFailed = errors.New("store failed")
	// ErrClosed: the store, the broker or the client was closed.
	ErrClosed = errors.New("closed")
)
