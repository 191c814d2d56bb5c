package faults

import "testing"

// TestKills: SIGKILL at random moments, while messages are taken in, stored, delivered and sent up, and while edged starts.
func TestKills(t *testing.T) {
	s := set(t, "", "")
	s.listen()
	s.crowd()
	for range rounds(t, 50) {
		const each = 60
		s.allow(each)
		if s.random.IntN(5) == 0 {
			// Kill it once more while it starts: it has read or is reading its store, and clients come back.
			s.edged.Kill(t)
			s.edged.Exec(t)
			if s.random.IntN(2) == 0 {
				s.edged.Line(t, 0, "")
			}
		} else {
			s.await(s.random.IntN(len(s.publishers) * each * 3 / 4))
		}
		s.edged.Kill(t)
		s.edged.Start(t)
	}
	s.check()
}
