package faults

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk: another file fills the disk while edged takes messages in. Publishers are held back or told, nothing dies, edged can be
// started on the full disk, and all goes on when there is space again.
func TestFullDisk(t *testing.T) {
	dir := ram(t, "96m")
	s := set(t, dir+"/data", "buffer: {min_free_disk: 16MiB}\n")
	s.listen()
	s.crowd(func(p *publisher) { p.size = 1000 }, carefully)
	for n := range rounds(t, 3) {
		s.allow(400)
		s.await(s.random.IntN(200))
		other := fill(t, dir)
		s.allow(400)
		s.refused()
		held := s.acknowledged()
		s.live("on a full disk")
		if more := s.acknowledged() - held; more != 0 {
			t.Errorf("%d messages were acknowledged although the disk is full", more)
		}
		if n%2 == 1 {
			s.edged.Kill(t)
			s.edged.Start(t)
			s.refused()
		}
		if s.edged.Ended() {
			t.Fatal("edged died of the full disk")
		}
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		s.finish()
	}
	s.check()
}

// fill writes a file until not a byte more has room.
func fill(t *testing.T, dir string) (name string) {
	t.Helper()
	name = filepath.Join(dir, "other")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for piece := make([]byte, 1<<20); len(piece) > 0; {
		if _, err := f.Write(piece); errors.Is(err, unix.ENOSPC) {
			piece = piece[:len(piece)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return name
}
