package buffer

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/edged/edged"
)

// copyOf is a store's folder as a kill would leave it now.
func copyOf(t *testing.T, s *Store) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lostAt opens a folder and gives how many messages of q it tells to be lost.
func lostAt(t *testing.T, dir string) (lost uint64, losses []edged.Loss) {
	t.Helper()
	var told ledger
	s := open(t, dir, told.option)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lost, _ = told.total("q", "damaged")
	return lost, told.losses
}

// Everything since the last marker, the first start's too, is counted to the message when Badger's folder is gone.
func TestTallyCountsWhatCameSinceTheMarker(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	for _, n := range []int{1, 7, 500} {
		from := q.Stats().Messages
		appendN(t, s, q, from, from+n)
		dir := copyOf(t, s)
		if err := os.RemoveAll(filepath.Join(dir, "db")); err != nil {
			t.Fatal(err)
		}
		if lost, all := lostAt(t, dir); lost != uint64(from+n) {
			t.Errorf("of %d messages %d are told to be lost: %+v", from+n, lost, all)
		}
		if lost, all := lostAt(t, dir); lost != 0 {
			t.Errorf("told again: %+v", all)
		}
	}
}

// An older folder of Badger's, such as one from a backup, is known by the tally.
func TestTallyKnowsAnOlderStore(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	appendN(t, s, q, 0, 100)
	older := copyOf(t, s)
	appendN(t, s, q, 100, 250)
	for _, name := range []string{"tally", "marker"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(older, name), b)
	}
	var told ledger
	s = open(t, older, told.option)
	if lost, _ := told.total("q", "damaged"); lost != 150 {
		t.Errorf("150 messages are missing, told were %+v", told.losses)
	}
	q = mustQueue(t, s, "q", edged.QueueLimits{})
	wantPayloads(t, lease(t, q, 1000), 0, 100)
	appendN(t, s, q, 300, 301)
	if got := lease(t, q, 10); len(got) != 1 || got[0].Seq <= 250 {
		t.Errorf("a sequence number is used twice: %+v", got)
	}
}

// What was acknowledged or deleted is no loss.
func TestTallyForgetsWhatIsDoneWith(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	other := mustQueue(t, s, "other", edged.QueueLimits{})
	appendN(t, s, q, 0, 50)
	appendN(t, s, other, 0, 50)
	for _, m := range lease(t, q, 30) {
		q.Ack(m.Seq)
	}
	deleted := make(chan error, 1)
	s.DeleteQueue("other", func(err error) { deleted <- err })
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	appendN(t, s, q, 50, 51)
	whole := copyOf(t, s)
	if _, all := lostAt(t, whole); len(all) != 0 {
		t.Errorf("nothing is missing, told were %+v", all)
	}
	empty := copyOf(t, s)
	if err := os.RemoveAll(filepath.Join(empty, "db")); err != nil {
		t.Fatal(err)
	}
	if lost, all := lostAt(t, empty); lost != 21 || len(all) != 1 {
		t.Errorf("21 messages are lost, told were %+v", all)
	}
}

func TestDamagedTallyIsLeftAlone(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	appendN(t, s, q, 0, 50)
	b, err := os.ReadFile(s.tally.path)
	if err != nil || len(b) < tallyHeader+tallyFixed {
		t.Fatalf("the tally has %d bytes, %v", len(b), err)
	}
	for at := range b {
		for _, bad := range [][]byte{b[:at], append(append(bytes.Clone(b[:at]), b[at]^0x80), b[at+1:]...)} {
			if _, _, queues := parseTally(bad); len(queues) > 0 && queues[0].Next != 51 {
				t.Fatalf("byte %d: %+v", at, queues)
			}
		}
	}
	dir := copyOf(t, s)
	b[tallyHeader+20] ^= 1
	writeFile(t, filepath.Join(dir, "tally"), b)
	if _, all := lostAt(t, dir); len(all) != 0 {
		t.Errorf("nothing is missing, told were %+v", all)
	}
}

func FuzzParseTally(f *testing.F) {
	f.Add([]byte(tallyMagic))
	f.Add(withSum(append([]byte(tallyMagic), make([]byte, 16)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, queues := parseTally(b); len(queues)*tallyFixed > len(b) {
			t.Fatalf("%d queues in %d bytes", len(queues), len(b))
		}
	})
}
