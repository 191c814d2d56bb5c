package faults

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/test/peers"
)

// TestDamagedFiles: a file of the store is damaged between a kill and a start. Edged starts all the same; whatever does not arrive is
// told in its log and in a lost record upstream, and what arrives is in order and, at QoS 2, not doubled.
func TestDamagedFiles(t *testing.T) {
	for _, c := range []struct {
		name     string
		readable int // of 1,600 messages, those in files that are not damaged; the last 800 are in the write-ahead log and the value log
		damage   func(t *testing.T, store string)
	}{
		{"nothing", 1600, func(*testing.T, string) {}},
		{"MANIFEST deleted", 1600, func(t *testing.T, store string) { must(t, os.Remove(newest(t, store, "MANIFEST"))) }},
		{"MANIFEST cut", 800, func(t *testing.T, store string) { shorten(t, newest(t, store, "MANIFEST"), 0.6) }},
		{"write-ahead log empty", 800, func(t *testing.T, store string) { must(t, os.Truncate(newest(t, store, "*.mem"), 0)) }},
		{"write-ahead log cut", 800, func(t *testing.T, store string) { must(t, os.Truncate(newest(t, store, "*.mem"), 20_000)) }},
		{"write-ahead log flipped", 1200, func(t *testing.T, store string) { flip(t, newest(t, store, "*.mem"), 0.005) }},
		{"value log cut", 1, func(t *testing.T, store string) { shorten(t, newest(t, store, "*.vlog"), 0.1) }},
		{"value log flipped", 1, func(t *testing.T, store string) { flip(t, newest(t, store, "*.vlog"), 0.05) }},
		{"value log deleted", 0, func(t *testing.T, store string) { must(t, os.Remove(newest(t, store, "*.vlog"))) }},
		{"table flipped", 800, func(t *testing.T, store string) { flip(t, newest(t, store, "*.sst"), 0.3) }},
		{"table deleted", 800, func(t *testing.T, store string) { must(t, os.Remove(newest(t, store, "*.sst"))) }},
		{"all deleted but the marker", 0, func(t *testing.T, store string) { must(t, os.RemoveAll(filepath.Join(store, "db"))) }},
		{"marker flipped", 1600, func(t *testing.T, store string) { flip(t, filepath.Join(store, "marker"), 0.5) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, "", "")
			s.cloud.Stop(t)
			s.crowd(func(p *publisher) { p.size = 1500 })
			// After a stop in order all is in tables, and the marker knows of it.
			s.allow(200)
			s.finish()
			s.edged.Stop(t)
			s.edged.Start(t)
			s.allow(200)
			s.finish()
			for _, p := range s.publishers {
				p.stop()
			}
			s.edged.Kill(t)
			c.damage(t, filepath.Join(s.edged.Dir, "data", "buffer"))
			s.edged.Start(t)
			s.cloud.Start(t)
			// Sequence numbers go on behind the damage: the marks come last.
			s.settle()
			s.condemn(c.name, c.readable)
		})
	}
}

// condemn fails the test unless all that is missing was told, at least readable messages arrived, and they are as they should be.
func (s *scene) condemn(damage string, readable int) {
	s.t.Helper()
	lost := 0
	for _, p := range s.publishers {
		v := s.far.judge(p.name, p.qos, p.promised())
		lost += v.lost
		if v.disorder > 0 || v.qos == 2 && v.doubled > 0 {
			s.t.Errorf("%v", v)
		}
	}
	told := warnings(s.edged)
	var records []edged.Loss
	counted := uint64(0)
	if lost > 0 {
		records = s.told()
	}
	for _, l := range records {
		counted += l.Messages
	}
	if damage == "nothing" && (lost > 0 || len(told) > 0) {
		s.t.Errorf("without damage %d messages are lost; in the log:\n%s", lost, strings.Join(told, "\n"))
	}
	if lost > 0 && len(told) == 0 {
		s.t.Errorf("%d messages are lost, and the log says nothing", lost)
	}
	if lost > 0 && len(records) == 0 {
		s.t.Errorf("%d messages are lost, and no record of it came; in the log:\n%s", lost, strings.Join(told, "\n"))
	}
	if len(records) > 0 && counted < uint64(lost) {
		s.t.Errorf("%d messages are lost, and %d are counted", lost, counted)
	}
	if arrived := s.acknowledged() - lost; arrived < readable {
		broken(s.t, "salvage", "%d messages arrived; %d lie in files that are not damaged", arrived, readable)
	}
	s.t.Logf("%d of %d messages are lost, %d of them counted in %d records; %d lines in the log", lost, s.acknowledged(), counted, len(records), len(told))
}

// told are the records of losses that came upstream. They are sent within a second and overtake what waits, so some patience will do.
func (s *scene) told() (records []edged.Loss) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(3 * time.Second); len(records) == 0 && time.Now().Before(deadline); <-tick.C {
		records = losses(s.t, s.far)
	}
	return records
}

// warnings are the lines about the store in edged's log.
func warnings(e *peers.Edged) (lines []string) {
	for _, l := range e.All() {
		if strings.Contains(l, "part=buffer") && (strings.Contains(l, "level=ERROR") || strings.Contains(l, "level=WARN")) {
			lines = append(lines, l)
		}
	}
	return lines
}

// losses are the lost records that a reader got.
func losses(t *testing.T, r *reader) (records []edged.Loss) {
	t.Helper()
	for _, n := range r.noted() {
		var l edged.Loss
		if err := json.Unmarshal([]byte(n), &l); err != nil {
			t.Fatalf("a lost record: %v in %s", err, n)
		}
		records = append(records, l)
	}
	return records
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newest is the last file of the store with that name.
func newest(t *testing.T, store, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(store, "db", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, store, err)
	}
	return names[len(names)-1]
}

// shorten cuts a file to a part of its length.
func shorten(t *testing.T, name string, part float64) {
	t.Helper()
	st, err := os.Stat(name)
	must(t, err)
	must(t, os.Truncate(name, int64(float64(st.Size())*part)))
}

// flip flips a bit of a file.
func flip(t *testing.T, name string, at float64) {
	t.Helper()
	b, err := os.ReadFile(name)
	must(t, err)
	b[int(float64(len(b))*at)] ^= 0x10
	must(t, os.WriteFile(name, b, 0o600))
}
