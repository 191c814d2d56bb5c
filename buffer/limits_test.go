package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edged/edged"
)

// reopened closes a store and opens it again, complete.
func reopened(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.dir, func(_ *Config, o *Options) { o.OnLoss = func(l edged.Loss) { t.Errorf("loss: %+v", l) } })
}

func TestBigMessages(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	sizes := []int{0, 1000, 1024, 1 << 20, 2<<20 - 30, 2 << 20, 4 << 20, MaxMessage}
	fill := func(n int) []byte { return bytes.Repeat([]byte{byte(n), 7, 31}, n/3+1)[:n] }
	for _, n := range sizes {
		if err := commit(s, edged.Batch{Message: edged.Message{Topic: "t", Payload: fill(n)}, To: []edged.Delivery{{Queue: q}}}); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	err := commit(s, edged.Batch{Message: edged.Message{Topic: "t", Payload: make([]byte, MaxMessage+1)}, To: []edged.Delivery{{Queue: q}}})
	if !errors.Is(err, ErrTooBig) {
		t.Fatalf("%v, want ErrTooBig", err)
	}
	s = reopened(t, s)
	q = mustQueue(t, s, "q", edged.QueueLimits{})
	for _, n := range sizes {
		got := lease(t, q, 1)
		if len(got) != 1 || !bytes.Equal(got[0].Payload, fill(n)) {
			t.Fatalf("the message of %d bytes did not come back", n)
		}
		q.Ack(got[0].Seq)
	}
	s = reopened(t, s)
	if st := mustQueue(t, s, "q", edged.QueueLimits{}).Stats(); st.Messages != 0 || st.Bytes != 0 {
		t.Fatalf("%+v", st)
	}
}

func TestRecords(t *testing.T) {
	s := open(t, t.TempDir())
	put := func(r ...edged.Record) error { return commit(s, edged.Batch{Put: r}) }
	values := map[string][]byte{"a/1": {}, "a/2": []byte("x"), "b": make([]byte, 5000), "c/" + strings.Repeat("k", MaxRecordKey-2): make([]byte, MaxRecord)}
	for k, v := range values {
		if err := put(edged.Record{Key: k, Value: v}); err != nil {
			t.Fatal(err)
		}
	}
	var many []edged.Record
	for n := range MaxRecords {
		many = append(many, edged.Record{Key: fmt.Sprintf("m/%03d", n), Value: make([]byte, 1000)})
	}
	if err := put(many...); err != nil {
		t.Fatalf("%d records in a batch: %v", len(many), err)
	}
	for _, r := range [][]edged.Record{
		{{Key: "k", Value: make([]byte, MaxRecord+1)}}, {{Key: strings.Repeat("k", MaxRecordKey+1), Value: []byte{1}}}, append(many, edged.Record{Key: "z"}),
	} {
		if err := put(r...); !errors.Is(err, ErrTooBig) {
			t.Fatalf("%v, want ErrTooBig", err)
		}
	}
	s = reopened(t, s)
	var keys []string
	err := s.Records("", func(r edged.Record) error {
		if v, ok := values[r.Key]; ok && !bytes.Equal(v, r.Value) || r.Value == nil {
			return fmt.Errorf("record %.20q has another value", r.Key)
		}
		keys = append(keys, r.Key)
		return nil
	})
	if err != nil || len(keys) != len(values)+MaxRecords || keys[0] != "a/1" || keys[1] != "a/2" || keys[2] != "b" {
		t.Fatalf("%v, %d records, the first %.60q", err, len(keys), keys[:3])
	}
	keys = nil
	if err := s.Records("a/", func(r edged.Record) error { keys = append(keys, r.Key); return nil }); err != nil || len(keys) != 2 {
		t.Fatalf("%v, %q", err, keys)
	}
	stop := errors.New("stop")
	if err := s.Records("", func(edged.Record) error { return stop }); !errors.Is(err, stop) {
		t.Fatal(err)
	}
}

func TestOneMessageForThousandsOfQueues(t *testing.T) {
	const n = 2500
	s := open(t, t.TempDir())
	var to []edged.Delivery
	for i := range n {
		q := mustQueue(t, s, fmt.Sprint("session/", i), edged.QueueLimits{})
		to = append(to, edged.Delivery{Queue: q, QoS: edged.QoS(i % 3), Retain: i%2 == 0, Identifiers: []uint32{uint32(i)}})
	}
	m := edged.Message{Topic: "t", Payload: make([]byte, 300), From: "me", QoS: 2, Retain: true}
	for range 3 {
		if err := commit(s, edged.Batch{Message: m, To: to, Put: []edged.Record{{Key: "k", Value: []byte("v")}}}); err != nil {
			t.Fatal(err)
		}
	}
	s = reopened(t, s)
	if got := len(s.Queues()); got != n {
		t.Fatalf("%d queues after the restart", got)
	}
	for _, i := range []int{0, 1, 699, 700, 1700, n - 1} {
		got := lease(t, mustQueue(t, s, fmt.Sprint("session/", i), edged.QueueLimits{}), 10)
		if len(got) != 3 || got[2].QoS != edged.QoS(i%3) || got[2].Retain != (i%2 == 0) || got[2].Identifiers[0] != uint32(i) || got[2].From != "me" {
			t.Fatalf("queue %d: %d messages, %+v", i, len(got), got)
		}
	}
}

func TestDeletedQueueIsGoneAndItsSpaceComesBack(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	errs := make(chan error, 2000)
	for range 2000 {
		s.Commit(edged.Batch{Message: edged.Message{Topic: "t", Payload: make([]byte, 10_000)}, To: []edged.Delivery{{Queue: q}}}, func(err error) { errs <- err })
	}
	for range 2000 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if used := folderSize(t, s.dir); used < 20_000_000 {
		t.Fatalf("%d bytes on disk with 20 MB waiting", used)
	}
	done := make(chan error)
	s.DeleteQueue("q", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(s.Queues()) != 0 {
		t.Fatal("it is still listed")
	}
	if err := commit(s, edged.Batch{Message: message(1), To: []edged.Delivery{{Queue: q}}}); err != nil {
		t.Fatalf("a message for a deleted queue: %v", err)
	}
	if got := lease(t, q, 1); len(got) != 0 {
		t.Fatal("a deleted queue leases")
	}
	s.DeleteQueue("never was", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	again := mustQueue(t, s, "q", edged.QueueLimits{})
	appendN(t, s, again, 0, 1)
	wantPayloads(t, lease(t, again, 10), 0, 1)
	eventually(t, "gives the space back", func() bool { return folderSize(t, s.dir) < 24<<20 })
}

// folderSize is what a folder takes on disk, the ballast aside.
func folderSize(t testing.TB, dir string) (n int64) {
	t.Helper()
	err := filepath.Walk(dir, func(_ string, st os.FileInfo, err error) error {
		if err == nil && !strings.HasPrefix(st.Name(), "ballast") {
			n += st.Size()
		}
		if os.IsNotExist(err) {
			return nil // unlinked meanwhile
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestForeignQueueAndBadLimitsAreRefused(t *testing.T) {
	a, b := open(t, t.TempDir()), open(t, t.TempDir())
	q := mustQueue(t, a, "q", edged.QueueLimits{})
	if err := commit(b, edged.Batch{Message: message(1), To: []edged.Delivery{{Queue: q}}}); !errors.Is(err, errForeign) {
		t.Fatal(err)
	}
	for _, l := range []edged.QueueLimits{{WhenFull: "drop"}, {MaxBytes: -1}, {MaxMessages: -1}} {
		if _, err := a.Queue("x", l); err == nil {
			t.Errorf("%+v is accepted", l)
		}
	}
	if _, err := a.Queue("", edged.QueueLimits{}); err == nil {
		t.Error("a queue without a name is accepted")
	}
	if again, err := a.Queue("q", edged.QueueLimits{MaxMessages: 1}); err != nil || again != q {
		t.Errorf("the second opening: %v, %v", again, err)
	}
}
