package memstore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/edged/edged"
)

func payloads(t *testing.T, q edged.Queue) (out []string) {
	t.Helper()
	got, err := q.Lease(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		out = append(out, string(m.Payload))
	}
	return out
}

func TestPolicies(t *testing.T) {
	for policy, want := range map[edged.FullPolicy]string{edged.DropOldest: "[2 3 4]", edged.DropNewest: "[0 1 2]", edged.Refuse: "[0 1 2]"} {
		s := New()
		q, err := s.Queue("q", edged.QueueLimits{MaxMessages: 3, WhenFull: policy})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			s.Commit(edged.Batch{Message: edged.Message{Payload: fmt.Append(nil, i)}, To: []edged.Delivery{{Queue: q}}}, func(err error) {
				if refused := policy == edged.Refuse && i > 2; refused != errors.Is(err, edged.ErrQueueFull) {
					t.Errorf("%s, message %d: %v", policy, i, err)
				}
			})
		}
		if got := fmt.Sprint(payloads(t, q)); got != want {
			t.Errorf("%s: %s, want %s", policy, got, want)
		}
		if lost := q.Stats().Lost; lost != map[edged.FullPolicy]uint64{edged.DropOldest: 2, edged.DropNewest: 2}[policy] {
			t.Errorf("%s: %d lost", policy, lost)
		}
	}
}

func TestAPowerCutForgetsWhatWasNotCommitted(t *testing.T) {
	s := New()
	q, err := s.Queue("q", edged.QueueLimits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		s.Commit(edged.Batch{Message: edged.Message{Payload: fmt.Append(nil, i)}, To: []edged.Delivery{{Queue: q}}, Put: []edged.Record{{Key: fmt.Sprint("k/", i), Value: []byte("x")}}}, nil)
	}
	payloads(t, q)
	q.Ack(1)
	s.Commit(edged.Batch{Put: []edged.Record{{Key: "k/1"}}}, nil)
	q.Received(3, nil)
	q.Ack(2)
	s = s.PowerCut()
	q, err = s.Queue("q", edged.QueueLimits{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.Lease(10)
	if err != nil || len(got) != 2 || got[0].Seq != 2 || !got[0].Redelivered || !got[1].Received {
		t.Fatalf("%+v, %v", got, err)
	}
	var keys []string
	if err := s.Records("k/", func(r edged.Record) error { keys = append(keys, r.Key); return nil }); err != nil || fmt.Sprint(keys) != "[k/0 k/2]" {
		t.Fatal(keys, err)
	}
	s.DeleteQueue("q", nil)
	if len(s.Queues()) != 0 {
		t.Fatal("the queue is still there")
	}
}
