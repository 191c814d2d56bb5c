package buffer

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/edged/edged"
)

const damagedBacklog = 3000

// killedStore makes a folder as a killed process leaves it, with a backlog in "q" and a marker that knows of it.
func killedStore(t *testing.T) string {
	t.Helper()
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	for n := 0; n < damagedBacklog; n += 100 {
		appendN(t, s, q, n, n+100)
	}
	done := make(chan struct{})
	var markErr error
	s.Commit(edged.Batch{}, func(error) { markErr = s.mark(); close(done) })
	<-done
	if markErr != nil {
		t.Fatal(markErr)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// files gives the files of Badger's folder with that ending, which must be there.
func files(t *testing.T, dir, ending string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "db", "*"+ending))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s files in %s, %v", ending, dir, err)
	}
	return names
}

// closedStore is as killedStore, but closed in order, so that all is in tables.
func closedStore(t *testing.T) string {
	t.Helper()
	dir := killedStore(t)
	s := open(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDamageIsNeverSilent(t *testing.T) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	flip := func(t *testing.T, name string, at float64) {
		t.Helper()
		b, err := os.ReadFile(name)
		must(t, err)
		b[int(float64(len(b)-1)*at)] ^= 0x40
		must(t, os.WriteFile(name, b, 0o600))
	}
	for _, c := range []struct {
		name   string
		store  func(*testing.T) string
		damage func(t *testing.T, dir string)
	}{
		{"folder removed", killedStore, func(t *testing.T, dir string) { must(t, os.RemoveAll(dir+"/db")) }},
		{"folder emptied", killedStore, func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir+"/db"))
			must(t, os.Mkdir(dir+"/db", 0o700))
		}},
		{"MANIFEST missing", killedStore, func(t *testing.T, dir string) { must(t, os.Remove(dir+"/db/MANIFEST")) }},
		{"MANIFEST missing, closed in order", closedStore, func(t *testing.T, dir string) { must(t, os.Remove(dir+"/db/MANIFEST")) }},
		{"MANIFEST empty", closedStore, func(t *testing.T, dir string) { must(t, os.Truncate(dir+"/db/MANIFEST", 0)) }},
		{"MANIFEST torn", closedStore, func(t *testing.T, dir string) {
			st, err := os.Stat(dir + "/db/MANIFEST")
			must(t, err)
			must(t, os.Truncate(dir+"/db/MANIFEST", st.Size()-3))
		}},
		{"MANIFEST cut to its header", closedStore, func(t *testing.T, dir string) { must(t, os.Truncate(dir+"/db/MANIFEST", 8)) }},
		{"MANIFEST with a flipped bit", closedStore, func(t *testing.T, dir string) { flip(t, dir+"/db/MANIFEST", .5) }},
		{"write-ahead log emptied", killedStore, func(t *testing.T, dir string) {
			for _, f := range files(t, dir, ".mem") {
				must(t, os.Truncate(f, 0))
			}
		}},
		{"write-ahead log cut", killedStore, func(t *testing.T, dir string) {
			for _, f := range files(t, dir, ".mem") {
				must(t, os.Truncate(f, 300))
			}
		}},
		{"write-ahead log damaged at its begin", killedStore, func(t *testing.T, dir string) {
			for _, f := range files(t, dir, ".mem") {
				b, err := os.ReadFile(f)
				must(t, err)
				copy(b[20:], "garbage in the first record, which ends the log for Badger")
				must(t, os.WriteFile(f, b, 0o600))
			}
		}},
		{"value log removed", killedStore, func(t *testing.T, dir string) {
			for _, f := range files(t, dir, ".vlog") {
				must(t, os.Remove(f))
			}
		}},
		{"value log zeroed", killedStore, func(t *testing.T, dir string) {
			for _, f := range files(t, dir, ".vlog") {
				b, err := os.ReadFile(f)
				must(t, err)
				clear(b[20:])
				must(t, os.WriteFile(f, b, 0o600))
			}
		}},
		{"value log with a flipped bit", closedStore, func(t *testing.T, dir string) { flip(t, files(t, dir, ".vlog")[0], .05) }},
		{"table removed", closedStore, func(t *testing.T, dir string) { must(t, os.Remove(files(t, dir, ".sst")[0])) }},
		{"table emptied", closedStore, func(t *testing.T, dir string) { must(t, os.Truncate(files(t, dir, ".sst")[0], 0)) }},
		{"table cut", closedStore, func(t *testing.T, dir string) { must(t, os.Truncate(files(t, dir, ".sst")[0], 100)) }},
		{"table with a flipped bit", closedStore, func(t *testing.T, dir string) { flip(t, files(t, dir, ".sst")[0], .3) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.store(t)
			c.damage(t, dir)
			checkDamaged(t, dir)
		})
	}
}

// checkDamaged opens a damaged store: it starts, says what is missing, and goes on with new sequence numbers.
func checkDamaged(t *testing.T, dir string) {
	t.Helper()
	var told ledger
	var logged bytes.Buffer
	s := open(t, dir, told.option, func(_ *Config, o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	got := lease(t, q, 2*damagedBacklog)
	last := uint64(0)
	for _, m := range got {
		if m.Seq <= last {
			t.Fatalf("message %d comes after %d", m.Seq, last)
		}
		last = m.Seq
	}
	// What reading found out is told with the next commit.
	appendN(t, s, q, 0, 1)
	lost, _ := told.total("q", "damaged")
	if int(lost)+len(got) < damagedBacklog || lost == 0 {
		t.Errorf("of %d messages, %d are left and %d were told to be lost; log:\n%s", damagedBacklog, len(got), lost, &logged)
	}
	if !strings.Contains(logged.String(), "level=ERROR") {
		t.Errorf("nothing was logged as an error")
	}
	next := lease(t, q, 2)
	if len(next) != 1 || next[0].Seq <= damagedBacklog {
		t.Fatalf("leased %d new messages, the first with a used sequence number: %+v", len(next), next)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// It is told once.
	told.losses = nil
	s = open(t, dir, told.option)
	if lost, _ := told.total("q", "damaged"); lost != 0 {
		t.Errorf("the second start tells of %d lost messages again", lost)
	}
	mustQueue(t, s, "q", edged.QueueLimits{})
}

func TestFlippedBitInASegmentCostsThatSegmentOnly(t *testing.T) {
	var told ledger
	s := open(t, t.TempDir(), told.option)
	s.mu.Lock()
	s.tail.limit = 0
	s.mu.Unlock()
	q := mustQueue(t, s, "q", edged.QueueLimits{MaxMessages: 800})
	appendN(t, s, q, 0, 500)
	var hit segment
	done := make(chan error)
	s.Commit(edged.Batch{}, func(error) {
		err := s.scan(q.(*queue).id, 100, func(g segment, _ *badger.Iterator) bool { hit = g; return false })
		value := make([]byte, 2000)
		binary.BigEndian.PutUint32(value, 1)
		done <- firstOf(err, s.write([]change{{hit.key(0), value}}, true))
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := lease(t, q, 1000)
	if len(got) != 500-int(hit.count) {
		t.Fatalf("leased %d of 500, the damaged segment had %d", len(got), hit.count)
	}
	appendN(t, s, q, 500, 501)
	if n, _ := told.total("q", "damaged"); n != uint64(hit.count) {
		t.Fatalf("told of %d, want %d: %+v", n, hit.count, told.losses)
	}
	if st := q.Stats(); st.Messages != len(got)+1 || st.Lost != uint64(hit.count) {
		t.Fatalf("%+v", st)
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestDamagedMarkerDoesNotStopTheStart(t *testing.T) {
	dir := killedStore(t)
	if err := os.WriteFile(dir+"/marker", []byte("{}\ncrc32c 00000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, func(_ *Config, o *Options) { o.OnLoss = func(l edged.Loss) { t.Errorf("loss %+v", l) } })
	wantPayloads(t, lease(t, mustQueue(t, s, "q", edged.QueueLimits{}), 2*damagedBacklog), 0, damagedBacklog)
}
