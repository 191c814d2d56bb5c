package buffer

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/edged/edged"
)

// killedLog is the write-ahead log of a killed store, and its folder.
func killedLog(t *testing.T) (dir, name string, b []byte) {
	t.Helper()
	dir = killedStore(t)
	names := files(t, dir, ".mem")
	name = names[len(names)-1]
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return dir, name, b
}

func writeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// openDamaged opens a store and gives what it told of.
func openDamaged(t *testing.T, dir string) (got []edged.Queued, told *ledger, logged string) {
	t.Helper()
	told = new(ledger)
	var log bytes.Buffer
	s := open(t, dir, told.option, func(_ *Config, o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	got = lease(t, q, 2*damagedBacklog)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return got, told, log.String()
}

// A bad byte anywhere in the log costs the segment it hits at most, and that is counted to the message.
func TestBadByteInTheLogCostsOneSegment(t *testing.T) {
	dir, name, b := killedLog(t)
	c := readWAL(b)
	if c.damaged() || len(c.records) < 60 {
		t.Fatalf("an undamaged log: %d records, %+v", len(c.records), c)
	}
	rel, err := filepath.Rel(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 12; i++ {
		hit := walHeader + (c.end-walHeader)*i/12
		bad := bytes.Clone(b)
		bad[hit] ^= 0x10
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(copied, rel), bad)
		got, told, logged := openDamaged(t, copied)
		lost, _ := told.total("q", "damaged")
		if len(got)+int(lost) != damagedBacklog || lost > 1024 {
			t.Errorf("byte %d: %d left, %d told to be lost of %d; log:\n%s", hit, len(got), lost, damagedBacklog, logged)
		}
		if len(told.losses) == 0 || logged == "" {
			t.Errorf("byte %d: told %+v, logged %q", hit, told.losses, logged)
		}
		aside, err := filepath.Glob(filepath.Join(copied, "db.damaged-*", filepath.Base(name)))
		if err != nil || len(aside) != 1 {
			t.Fatalf("byte %d: the damaged log was copied to %v, %v", hit, aside, err)
		}
		if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, bad) {
			t.Errorf("byte %d: the copy is not what was found, %v", hit, err)
		}
	}
}

// What a kill leaves at the end of a log is no damage.
func TestTornEndOfTheLogIsSilent(t *testing.T) {
	_, _, b := killedLog(t)
	c := readWAL(b)
	last := c.records[len(c.records)-1]
	begin := len(c.records) - 1
	for begin > 0 && c.records[begin-1].meta&walFin == 0 {
		begin--
	}
	for at := c.records[begin].at; at < last.end; at++ {
		torn := bytes.Clone(b)
		clear(torn[at:])
		if c := readWAL(torn); c.damaged() {
			t.Fatalf("cut at %d of %d: %+v", at, last.end, c)
		}
	}
	// A power cut may lose blocks of what was not flushed in any order.
	holed := bytes.Clone(b)
	from := c.end / 2 / 1024 * 1024
	clear(holed[from : from+1024])
	if c := readWAL(holed); c.damaged() || !c.torn {
		t.Errorf("a block that is missing near the end: %d records, %+v", len(c.records), c.torn)
	}
}

func TestCutLogIsDamage(t *testing.T) {
	_, _, b := killedLog(t)
	c := readWAL(b)
	for _, r := range c.records {
		for _, at := range []int{r.at + 1, r.end - 1} {
			if c := readWAL(b[:at]); !c.damaged() {
				t.Fatalf("cut at %d, within a record: %+v", at, c)
			}
		}
		// After a whole transaction Badger itself cuts logs.
		if c := readWAL(b[:r.end]); c.damaged() != (r.meta&walTxn != 0) {
			t.Fatalf("cut at %d, behind a record with meta %x: %+v", r.end, r.meta, c)
		}
	}
}

// A mended log is a good one, and mending a good one changes nothing.
func TestMendedLogIsGood(t *testing.T) {
	_, _, b := killedLog(t)
	c := readWAL(b)
	if m := c.mended(b); !bytes.Equal(m[walHeader:], b[walHeader:c.end]) {
		t.Errorf("mending %d good bytes gave %d", c.end, len(m))
	}
	for at := walHeader; at < c.end; at += 97 {
		bad := bytes.Clone(b)
		bad[at]++
		c := readWAL(bad)
		m := c.mended(bad)
		if again := readWAL(m); again.damaged() || len(again.records) < len(c.records)-4 {
			t.Fatalf("byte %d: mended from %d records to %+v", at, len(c.records), again)
		}
	}
}

func FuzzReadWAL(f *testing.F) {
	good := appendWALEnd(make([]byte, walHeader), 7)
	f.Add(good)
	f.Add(good[:30])
	f.Add(bytes.Repeat([]byte{walTxn, 0, 9, 1, 0, 'm'}, 50))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := readWAL(b)
		if m := c.mended(b); len(m) > len(b)+walHeader+64*len(c.records) {
			t.Fatalf("%d bytes became %d", len(b), len(m))
		}
	})
}
