package buffer

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged"
)

// ledger collects losses.
type ledger struct {
	mu     sync.Mutex
	losses []edged.Loss
}

func (l *ledger) option(_ *Config, o *Options) {
	o.OnLoss = func(x edged.Loss) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.losses = append(l.losses, x)
	}
}

// total adds up what was told of a queue under a reason.
func (l *ledger) total(queue, reason string) (messages, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.losses {
		if x.Queue == queue && x.Reason == reason {
			messages += x.Messages
			bytes += x.Bytes
		}
	}
	return messages, bytes
}

func TestDropOldestKeepsTheNewest(t *testing.T) {
	var told ledger
	dir := t.TempDir()
	s := open(t, dir, told.option)
	limits := edged.QueueLimits{MaxMessages: 100, WhenFull: edged.DropOldest}
	q := mustQueue(t, s, "q", limits)
	for n := range 50 {
		appendN(t, s, q, n*20, n*20+20)
		if st := q.Stats(); st.Messages > 100 {
			t.Fatalf("%d messages wait, the bound is 100", st.Messages)
		}
	}
	st := q.Stats()
	if st.Messages < 85 || st.Lost != 1000-uint64(st.Messages) || st.Appended != 1000 {
		t.Fatalf("after 1000 messages: %+v", st)
	}
	if m, b := told.total("q", "drop-oldest"); m != st.Lost || b != st.LostBytes {
		t.Fatalf("told of %d messages lost, %d bytes; counted %d, %d", m, b, st.Lost, st.LostBytes)
	}
	for i := range told.losses[1:] {
		a, b := told.losses[i], told.losses[i+1]
		if a.Last+1 != b.First || a.FirstTime.IsZero() || b.LastTime.Before(a.LastTime) || b.Last-b.First+1 != b.Messages {
			t.Fatalf("gaps are not told one after the other: %+v, %+v", a, b)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, told.option)
	q = mustQueue(t, s, "q", limits)
	st.Oldest = st.Oldest.Truncate(time.Millisecond) // as segments know it
	if again := q.Stats(); again != st {
		t.Fatalf("reopened: %+v, before: %+v", again, st)
	}
	wantPayloads(t, lease(t, q, 1000), 1000-st.Messages, 1000)
}

func TestDropOldestNeverTakesWhatIsInFlight(t *testing.T) {
	var told ledger
	dir := t.TempDir()
	s := open(t, dir, told.option)
	limits := edged.QueueLimits{MaxMessages: 100}
	q := mustQueue(t, s, "q", limits)
	appendN(t, s, q, 0, 100)
	wantPayloads(t, lease(t, q, 7), 0, 7)
	for n := 100; n < 500; n += 10 {
		appendN(t, s, q, n, n+10)
	}
	st := q.Stats()
	if st.Messages > 100 || st.InFlight != 7 || uint64(st.Messages)+st.Lost != 500 {
		t.Fatalf("with 7 in flight: %+v", st)
	}
	q.Rewind()
	got := lease(t, q, 1000)
	wantPayloads(t, got[:7], 0, 7)
	wantPayloads(t, got[7:], 500-st.Messages+7, 500)
	q.Rewind()

	// The same after a restart: what was told to be lost does not come back.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, told.option)
	q = mustQueue(t, s, "q", limits)
	again := lease(t, q, 1000)
	if len(again) != len(got) {
		t.Fatalf("%d messages after the restart, %d before", len(again), len(got))
	}
	for i, m := range again {
		if m.Seq != got[i].Seq {
			t.Fatalf("message %d has number %d, before %d", i, m.Seq, got[i].Seq)
		}
		q.Ack(m.Seq)
	}
	if st := q.Stats(); st.Messages != 0 || st.Bytes != 0 {
		t.Fatalf("after all was acknowledged: %+v", st)
	}
}

func TestDropOldestWithEverythingInFlightDropsTheNewOne(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{MaxMessages: 10})
	appendN(t, s, q, 0, 10)
	wantPayloads(t, lease(t, q, 10), 0, 10)
	appendN(t, s, q, 10, 13)
	if st := q.Stats(); st.Messages != 10 || st.Lost != 3 || st.Next != 14 {
		t.Fatalf("%+v", st)
	}
	q.Ack(1)
	q.Ack(2)
	appendN(t, s, q, 13, 15)
	wantPayloads(t, lease(t, q, 10), 13, 15)
}

func TestDropNewestAcknowledgesAndCounts(t *testing.T) {
	var told ledger
	s := open(t, t.TempDir(), told.option)
	q := mustQueue(t, s, "q", edged.QueueLimits{MaxMessages: 10, WhenFull: edged.DropNewest})
	appendN(t, s, q, 0, 25)
	if st := q.Stats(); st.Messages != 10 || st.Lost != 15 || st.Next != 11 {
		t.Fatalf("%+v", st)
	}
	if m, _ := told.total("q", "drop-newest"); m != 15 {
		t.Fatalf("told of %d lost, want 15", m)
	}
	got := lease(t, q, 100)
	wantPayloads(t, got, 0, 10)
	for _, m := range got {
		q.Ack(m.Seq)
	}
	appendN(t, s, q, 25, 30)
	wantPayloads(t, lease(t, q, 100), 25, 30)
}

func TestRefuseFailsTheWholeBatch(t *testing.T) {
	s := open(t, t.TempDir())
	strict := mustQueue(t, s, "strict", edged.QueueLimits{MaxBytes: 1000, WhenFull: edged.Refuse})
	other := mustQueue(t, s, "other", edged.QueueLimits{})
	b := edged.Batch{
		Message: edged.Message{Topic: "t", Payload: make([]byte, 400)},
		To:      []edged.Delivery{{Queue: other}, {Queue: strict}},
		Put:     []edged.Record{{Key: "k", Value: []byte("v")}},
	}
	kept := 0
	for {
		err := commit(s, b)
		if err != nil {
			if !errors.Is(err, edged.ErrQueueFull) {
				t.Fatal(err)
			}
			break
		}
		kept++
		b.Put = []edged.Record{{Key: fmt.Sprint("k", kept), Value: []byte("v")}}
	}
	if kept != 2 || other.Stats().Messages != kept || strict.Stats().Messages != kept || strict.Stats().Bytes > 1000 {
		t.Fatalf("kept %d; other %+v, strict %+v", kept, other.Stats(), strict.Stats())
	}
	records := 0
	if err := s.Records("k", func(edged.Record) error { records++; return nil }); err != nil || records != kept {
		t.Fatalf("%d records, %v; want %d", records, err, kept)
	}
	// It goes on as soon as there is room.
	got := lease(t, strict, 1)
	strict.Ack(got[0].Seq)
	if err := commit(s, b); err != nil {
		t.Fatal(err)
	}
}

func TestMessageBiggerThanItsQueueIsDroppedAndCounted(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{MaxBytes: 1000})
	appendN(t, s, q, 0, 3)
	if err := commit(s, edged.Batch{Message: edged.Message{Topic: "t", Payload: make([]byte, 2000)}, To: []edged.Delivery{{Queue: q}}}); err != nil {
		t.Fatal(err)
	}
	if st := q.Stats(); st.Messages != 3 || st.Lost != 1 {
		t.Fatalf("%+v", st)
	}
}

func TestTheStoresBoundIsPaidByTheBiggestQueue(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config, _ *Options) { c.MaxBytes = 1 << 20 })
	big := mustQueue(t, s, "big", edged.QueueLimits{})
	small := mustQueue(t, s, "small", edged.QueueLimits{})
	keep := mustQueue(t, s, "keep", edged.QueueLimits{WhenFull: edged.Refuse})
	put := func(q edged.Queue, size int) error {
		return commit(s, edged.Batch{Message: edged.Message{Topic: "t", Payload: make([]byte, size)}, To: []edged.Delivery{{Queue: q}}})
	}
	for range 10 {
		if err := errors.Join(put(small, 1000), put(keep, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		if err := put(big, 10_000); err != nil {
			t.Fatal(err)
		}
		if total := big.Stats().Bytes + small.Stats().Bytes + keep.Stats().Bytes; total > 1<<20 {
			t.Fatalf("the store holds %d bytes", total)
		}
	}
	if small.Stats().Lost != 0 || keep.Stats().Lost != 0 || big.Stats().Lost < 90 {
		t.Fatalf("big %+v, small %+v, keep %+v", big.Stats(), small.Stats(), keep.Stats())
	}
	// Only when nobody else can give way, refuse refuses.
	var err error
	for n := 0; err == nil && n < 200; n++ {
		err = put(keep, 10_000)
	}
	if !errors.Is(err, edged.ErrQueueFull) || big.Stats().Messages != 0 || keep.Stats().Messages < 100 {
		t.Fatalf("%v; big %+v, keep %+v", err, big.Stats(), keep.Stats())
	}
}
