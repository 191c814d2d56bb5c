package buffer

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/edged/edged"
	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of its own; it wants root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Fatalf("cannot mount a small file system for the test of a full disk (run as root, with CAP_SYS_ADMIN): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill writes a file until the disk is full, but for left bytes.
func fill(t *testing.T, path string, left uint64) {
	t.Helper()
	free, err := freeBytes(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if free > left {
		if err := allocate(f, int64(free-left)); err != nil && !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskRefusesAndRecovers(t *testing.T) {
	disk := smallDisk(t, "96m")
	dir := filepath.Join(disk, "buffer")
	s := open(t, dir)
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	b := edged.Batch{Message: edged.Message{Topic: "t", Payload: make([]byte, 20_000)}, To: []edged.Delivery{{Queue: q}}}
	kept := 0
	var err error
	for err == nil {
		if err = commit(s, b); err == nil {
			kept++
		}
		if kept > 10_000 {
			t.Fatal("the disk is never full")
		}
	}
	if !errors.Is(err, edged.ErrDiskFull) || kept < 1000 {
		t.Fatalf("after %d messages: %v, want ErrDiskFull", kept, err)
	}
	// Another process takes the rest: nothing but refusals, for messages and records; deletions are still welcome.
	fill(t, filepath.Join(disk, "other"), 6<<20)
	for range 100 {
		if err := commit(s, b); !errors.Is(err, edged.ErrDiskFull) {
			t.Fatal(err)
		}
	}
	if err := commit(s, edged.Batch{Put: []edged.Record{{Key: "k", Value: []byte("v")}}}); !errors.Is(err, edged.ErrDiskFull) {
		t.Fatal(err)
	}
	if err := commit(s, edged.Batch{Put: []edged.Record{{Key: "k"}}}); err != nil {
		t.Fatalf("delete a record on a full disk: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ballast")); err == nil {
		t.Fatal("the ballast was not let go")
	}
	// The backlog can be read, acknowledged and so freed; and the store opened again on the full disk.
	got := lease(t, q, kept/2)
	for _, m := range got {
		q.Ack(m.Seq)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	q = mustQueue(t, s, "q", edged.QueueLimits{})
	if st := q.Stats(); st.Messages != kept-len(got) {
		t.Fatalf("after the restart on a full disk: %+v, want %d messages", st, kept-len(got))
	}
	if err := os.Remove(filepath.Join(disk, "other")); err != nil {
		t.Fatal(err)
	}
	for len(got) > 0 {
		got = lease(t, q, 1000)
		for _, m := range got {
			q.Ack(m.Seq)
		}
	}
	b.To[0].Queue = q
	eventually(t, "accepts messages again", func() bool { return commit(s, b) == nil })
	eventually(t, "gives the space back", func() bool { free, err := freeBytes(disk); return err == nil && free > 64<<20 })
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it never %s", what)
		}
	}
}

func TestFailedFlushIsTheEndOfTheStore(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	appendN(t, s, q, 0, 3)
	wantPayloads(t, lease(t, q, 3), 0, 3)
	// A closed descriptor is as good as a broken disk.
	block := make(chan struct{})
	s.Commit(edged.Batch{}, func(error) {
		_ = s.disk.mem.Close()
		close(block)
	})
	<-block
	b := edged.Batch{Message: message(3), To: []edged.Delivery{{Queue: q}}}
	for range 3 {
		if err := commit(s, b); !errors.Is(err, edged.ErrStoreFailed) {
			t.Fatalf("commit after a failed flush: %v, want ErrStoreFailed", err)
		}
	}
	if _, err := q.Lease(1); !errors.Is(err, edged.ErrStoreFailed) {
		t.Fatalf("lease: %v", err)
	}
	if err := s.Records("", func(edged.Record) error { return nil }); !errors.Is(err, edged.ErrStoreFailed) {
		t.Fatalf("records: %v", err)
	}
	if _, err := s.Queue("new", edged.QueueLimits{}); !errors.Is(err, edged.ErrStoreFailed) {
		t.Fatalf("queue: %v", err)
	}
	if err := s.Close(); !errors.Is(err, edged.ErrStoreFailed) {
		t.Fatalf("close: %v", err)
	}
	s = open(t, s.dir)
	q = mustQueue(t, s, "q", edged.QueueLimits{})
	if got := lease(t, q, 10); len(got) < 3 {
		t.Fatalf("%d messages after it was opened again, want 3 at least", len(got))
	}
}

func TestBadgersErrorsEndTheStore(t *testing.T) {
	s := open(t, t.TempDir())
	log := s.db.Opts().Logger
	log.Errorf("Error while curlf sync: %v\n", unix.EIO)
	if err := commit(s, edged.Batch{Put: []edged.Record{{Key: "k", Value: []byte("v")}}}); !errors.Is(err, edged.ErrStoreFailed) {
		t.Fatalf("%v, want ErrStoreFailed", err)
	}
}

func TestFilesAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	s := open(t, dir)
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	appendN(t, s, q, 0, 10)
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Fatalf("%v, %v", st.Mode(), err)
	}
	for _, name := range []string{"marker", "lock", "ballast", "db/" + memName(s.disk.memID), "db/" + vlogName(s.disk.vlogID)} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
}

// A receipt that a full disk refused must not hold back the queue once there is space again.
func TestARefusedReceiptHoldsNothingBack(t *testing.T) {
	disk := smallDisk(t, "96m")
	s := open(t, filepath.Join(disk, "buffer"))
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	for range 3 {
		if err := commit(s, edged.Batch{Message: edged.Message{Topic: "t", QoS: 2}, To: []edged.Delivery{{Queue: q, QoS: 2}}}); err != nil {
			t.Fatal(err)
		}
	}
	got := lease(t, q, 3)
	other := filepath.Join(disk, "other")
	fill(t, other, 0)
	received := func() error {
		done := make(chan error, 1)
		q.Received(got[0].Seq, func(err error) { done <- err })
		return <-done
	}
	// The ballast is let go at the first sight of a full disk: somebody else takes that, too.
	for range 3 {
		_ = commit(s, edged.Batch{Message: edged.Message{Topic: "t", QoS: 2}, To: []edged.Delivery{{Queue: q, QoS: 2}}})
		fill(t, other+"2", 0)
	}
	if err := received(); !errors.Is(err, edged.ErrDiskFull) {
		t.Fatalf("a receipt on a full disk: %v, want ErrDiskFull", err)
	}
	q.Rewind()
	if again := lease(t, q, 3); len(again) != 3 || again[0].Received {
		t.Fatalf("after the refused receipt %d messages can be leased: %+v; want all 3, none received", len(again), again)
	}
	for _, name := range []string{other, other + "2"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := received(); err != nil {
		t.Fatalf("a receipt when there is space again: %v", err)
	}
}
