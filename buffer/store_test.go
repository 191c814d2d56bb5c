package buffer

import (
	"fmt"
	"testing"
	"time"

	"github.com/edged/edged"
)

func testConfig() Config {
	c := DefaultConfig()
	c.MinFreeDisk = 16 << 20
	return c
}

func open(t testing.TB, dir string, change ...func(*Config, *Options)) *Store {
	t.Helper()
	c, o := testConfig(), Options{Dir: dir}
	for _, f := range change {
		f(&c, &o)
	}
	s, err := Open(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustQueue(t testing.TB, s *Store, name string, l edged.QueueLimits) edged.Queue {
	t.Helper()
	q, err := s.Queue(name, l)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// commit waits for a batch.
func commit(s *Store, b edged.Batch) error {
	done := make(chan error, 1)
	s.Commit(b, func(err error) { done <- err })
	return <-done
}

func message(n int) edged.Message {
	return edged.Message{Topic: "sensors/a", Payload: fmt.Appendf(nil, "%d", n), QoS: 1, Time: time.Unix(1700000000, int64(n))}
}

func appendN(t testing.TB, s *Store, q edged.Queue, from, to int) {
	t.Helper()
	errs := make(chan error, to-from)
	for n := from; n < to; n++ {
		s.Commit(edged.Batch{Message: message(n), To: []edged.Delivery{{Queue: q, QoS: 1}}}, func(err error) { errs <- err })
	}
	for n := from; n < to; n++ {
		if err := <-errs; err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
	}
}

func lease(t testing.TB, q edged.Queue, limit int) []edged.Queued {
	t.Helper()
	got, err := q.Lease(limit)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantPayloads checks that the leased messages are those numbered from to to.
func wantPayloads(t testing.TB, got []edged.Queued, from, to int) {
	t.Helper()
	if len(got) != to-from {
		t.Fatalf("leased %d messages, want %d to %d", len(got), from, to)
	}
	for i, m := range got {
		if want := fmt.Sprint(from + i); string(m.Payload) != want {
			t.Fatalf("message %d of the lease is %s, want %s", i, m.Payload, want)
		}
	}
}

func TestWhatWasCommittedIsLeasedAfterReopen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	q := mustQueue(t, s, "cloud", edged.QueueLimits{})
	appendN(t, s, q, 0, 5000)
	wantPayloads(t, lease(t, q, 100), 0, 100)
	for seq := uint64(1); seq <= 50; seq++ {
		q.Ack(seq)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	q = mustQueue(t, s, "cloud", edged.QueueLimits{})
	got := lease(t, q, 10000)
	wantPayloads(t, got, 50, 5000)
	for i, m := range got {
		if m.Redelivered != (i < 50) || m.Seq != uint64(i)+51 {
			t.Fatalf("message %d has number %d, redelivered %v", i, m.Seq, m.Redelivered)
		}
		q.Ack(m.Seq)
	}
	if st := q.Stats(); st.Messages != 0 || st.Bytes != 0 || st.Acked != 5000 || st.Appended != 5000 || st.Cursor != 5001 || st.InFlight != 0 {
		t.Fatalf("after all was acknowledged: %+v", st)
	}
}
