package buffer

import (
	"errors"
	"testing"

	"github.com/edged/edged"
)

// Once a batch of a fence has failed, those after it fail too, in the same group or a later one; others do not.
func TestAFenceFailsWhatIsBehindAFailure(t *testing.T) {
	s, err := Open(DefaultConfig(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	q, err := s.Queue("q", edged.QueueLimits{})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(payload int, fence *edged.Fence) chan error {
		done := make(chan error, 1)
		s.Commit(edged.Batch{Message: edged.Message{Topic: "t", QoS: 1, Payload: make([]byte, payload)}, To: []edged.Delivery{{Queue: q, QoS: 1}}, Fence: fence}, func(err error) { done <- err })
		return done
	}
	fence := new(edged.Fence)
	var results []chan error
	for _, c := range []struct {
		payload int
		fence   *edged.Fence
	}{{1, fence}, {MaxMessage + 1, fence}, {2, fence}, {3, nil}, {4, new(edged.Fence)}} {
		results = append(results, commit(c.payload, c.fence))
	}
	for i, failed := range []bool{false, true, true, false, false} {
		if err := <-results[i]; errors.Is(err, ErrTooBig) != failed || (err != nil) != failed {
			t.Errorf("batch %d: %v, want a failure: %v", i, err, failed)
		}
	}
	if err := <-commit(5, fence); !errors.Is(err, ErrTooBig) {
		t.Errorf("a later batch of the fence: %v, want the error of the first that failed", err)
	}
	got, err := q.Lease(10)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d messages are kept, %v; want 3", len(got), err)
	}
}
