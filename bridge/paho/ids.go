package paho

import (
	"fmt"
	"sync"
	"time"
)

// The packet identifiers on the wire:
//
//	1 … 60,000         messages of the queue: 1 + sequence number mod 60,000
//	60,001 … 64,000    announcements
//	64,001 … 65,535    paho's own, which it uses for SUBSCRIBE: 64,000 + paho's
const (
	sequenceIDs = 60_000
	firstOfOurs = 60_001
	lastOfOurs  = 64_000
	pahoOffset  = 64_000
)

// phase is where a message of the queue is on this connection.
type phase byte

const (
	awaitPuback  phase = iota // QoS 1, PUBLISH sent
	awaitPubrec               // QoS 2, PUBLISH sent
	taken                     // PUBREC came; the queue is noting it
	awaitPubcomp              // PUBREL sent
)

// flight is one message under way.
type flight struct {
	seq   uint64
	phase phase
}

// ids knows which messages are under way on this connection, by identifier.
type ids struct {
	modulus uint64

	mu       sync.Mutex
	flights  map[uint16]flight
	calls    map[uint16]chan struct{} // announcements, closed by PUBACK
	lastCall uint16
	awaiting int       // how many answers the server owes
	progress time.Time // when it last gave one, or took bytes
}

func newIDs(modulus uint64) *ids {
	return &ids{modulus: modulus, flights: map[uint16]flight{}, calls: map[uint16]chan struct{}{}, lastCall: lastOfOurs, progress: time.Now()}
}

// of is the identifier of a sequence number, on every connection.
func (t *ids) of(seq uint64) uint16 { return uint16(1 + seq%t.modulus) }

// begin notes a message that is about to be sent.
func (t *ids) begin(seq uint64, p phase) (uint16, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.of(seq)
	if f, busy := t.flights[id]; busy {
		return 0, fmt.Errorf("packet identifier %d of message %d is still in use by message %d", id, seq, f.seq)
	}
	t.flights[id] = flight{seq, p}
	t.await()
	return id, nil
}

// release notes that the PUBREL of a message that was taken is about to be sent.
func (t *ids) release(seq uint64) (uint16, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.of(seq)
	if f := t.flights[id]; f != (flight{seq, taken}) {
		return 0, fmt.Errorf("message %d is not waiting for its release", seq)
	}
	t.flights[id] = flight{seq, awaitPubcomp}
	t.await()
	return id, nil
}

// answer takes a PUBACK, PUBREC or PUBCOMP for a message of the queue: it moves from phase want to next, or is done when
// both are the same. ok is false when nothing is known of id: an answer to an earlier connection's packet.
func (t *ids) answer(id uint16, want, next phase) (seq uint64, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.flights[id]
	switch {
	case !ok || want == awaitPubrec && (f.phase == taken || f.phase == awaitPubcomp):
		return 0, false, nil
	case f.phase != want:
		return 0, false, fmt.Errorf("the server acknowledged packet %d out of turn", id)
	case want == next:
		delete(t.flights, id)
	default:
		t.flights[id] = flight{f.seq, next}
	}
	t.answered()
	return f.seq, true, nil
}

// call reserves an identifier for an announcement; done is closed by its PUBACK.
func (t *ids) call() (id uint16, done chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range lastOfOurs - firstOfOurs + 1 {
		t.lastCall++
		if t.lastCall > lastOfOurs {
			t.lastCall = firstOfOurs
		}
		if t.calls[t.lastCall] == nil {
			done = make(chan struct{})
			t.calls[t.lastCall] = done
			t.await()
			return t.lastCall, done, nil
		}
	}
	return 0, nil, fmt.Errorf("%d announcements wait for the server already", len(t.calls))
}

// called takes the PUBACK of an announcement.
func (t *ids) called(id uint16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if done := t.calls[id]; done != nil {
		delete(t.calls, id)
		close(done)
		t.answered()
	}
}

func (t *ids) await() {
	if t.awaiting++; t.awaiting == 1 {
		t.progress = time.Now()
	}
}

func (t *ids) answered() {
	t.awaiting--
	t.progress = time.Now()
}

// progressed notes that the network took bytes.
func (t *ids) progressed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress = time.Now()
}

// stalled is for how long the server has owed an answer without any progress.
func (t *ids) stalled() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.awaiting == 0 {
		return 0
	}
	return time.Since(t.progress)
}
