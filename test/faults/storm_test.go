package faults

import (
	"strings"
	"testing"
)

// TestStorm: everything at once. The line breaks at random bytes, mosquitto is restarted with its session, edged is killed.
func TestStorm(t *testing.T) {
	s := set(t, "", "")
	s.listen()
	s.crowd()
	var done []string
	defer func() {
		if t.Failed() {
			t.Logf("rounds: %s", strings.Join(done, ", "))
		}
	}()
	for range rounds(t, 25) {
		const each = 60
		s.allow(each)
		what := "nothing"
		if s.random.IntN(4) > 0 {
			f := fault(s.random.IntN(manyFaults))
			s.line.arm(f, 1+s.random.IntN(4_000))
			what = f.String()
		}
		switch s.random.IntN(4) {
		case 0:
			what += " and mosquitto restarted"
			s.await(s.random.IntN(each))
			s.cloud.Stop(t)
			s.await(s.random.IntN(each))
			s.cloud.Start(t)
		default:
			what += " and edged killed"
			s.await(s.random.IntN(len(s.publishers) * each / 2))
			// Let what the fault hit recover in half of the rounds, and die of it in the others.
			if s.random.IntN(2) == 0 {
				before := s.far.count()
				s.line.heal()
				eventually(t, long, func() bool { return s.far.count() >= before+s.random.IntN(50) || s.far.count() >= s.acknowledged() }, s.state)
				what += " after it recovered"
			}
			s.edged.Kill(t)
			s.edged.Start(t)
		}
		done = append(done, what)
	}
	t.Logf("%d faults of the line have struck", s.line.strikes())
	s.check()
}

// TestLineAlone: nothing dies, but the line breaks again and again in every way.
func TestLineAlone(t *testing.T) {
	s := set(t, "", "")
	s.listen()
	s.crowd()
	for f := range fault(manyFaults) {
		s.allow(100)
		before, arrived := s.line.strikes(), s.far.count()
		s.line.arm(f, 1+s.random.IntN(20_000))
		eventually(t, long, func() bool { return s.line.strikes() > before }, func() string { return f.String() + " strikes\n" + s.state() })
		if f == cut || f == silent || f == deaf {
			// Edged has to notice by itself, and to come back.
			eventually(t, long, func() bool { return s.far.count() > arrived }, func() string { return f.String() + " is overcome\n" + s.state() })
		}
	}
	s.check()
}
