package buffer

import (
	"path/filepath"
	"testing"

	"github.com/edged/edged"
)

// What is flushed must be what Badger writes to, however often it rotates.
func TestTheFilesInUseAreTheOnesFlushed(t *testing.T) {
	s := open(t, t.TempDir())
	var to []edged.Delivery
	for _, name := range []string{"a", "b", "c"} {
		to = append(to, edged.Delivery{Queue: mustQueue(t, s, name, edged.QueueLimits{})})
	}
	for n := range 400 {
		size := []int{900, 5000, 300_000}[n%3]
		if err := commit(s, edged.Batch{Message: edged.Message{Topic: "t", Payload: make([]byte, size)}, To: to}); err != nil {
			t.Fatal(err)
		}
		if n%20 == 19 {
			for _, d := range to {
				for _, m := range lease(t, d.Queue, 1000) {
					d.Queue.Ack(m.Seq)
				}
			}
		}
		if n%50 != 49 {
			continue
		}
		done := make(chan [2]string, 1)
		s.Commit(edged.Batch{}, func(error) {
			s.maintain()
			done <- [2]string{s.disk.mem.Name(), s.disk.vlog.Name()}
		})
		got := <-done
		for i, ending := range []string{".mem", ".vlog"} {
			all := files(t, s.dir, ending)
			if newest := all[len(all)-1]; filepath.Base(newest) != filepath.Base(got[i]) {
				t.Fatalf("after %d messages %s is flushed, %s is in use", n+1, got[i], newest)
			}
		}
	}
}
