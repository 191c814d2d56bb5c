package buffer

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/edged/edged"
)

func TestManyPublishersKeepTheirOrder(t *testing.T) {
	const publishers, each = 16, 300
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	var last [publishers]atomic.Int64 // the last that was done
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			var done sync.WaitGroup
			for n := range each {
				done.Add(1)
				m := edged.Message{Topic: fmt.Sprint(p), Payload: fmt.Append(nil, n)}
				s.Commit(edged.Batch{Message: m, To: []edged.Delivery{{Queue: q}}}, func(err error) {
					if err != nil || !last[p].CompareAndSwap(int64(n), int64(n)+1) {
						t.Errorf("publisher %d, message %d: %v, or done out of turn", p, n, err)
					}
					done.Done()
				})
			}
			done.Wait()
		})
	}
	seen := map[string]int{}
	total := 0
	more := make(chan struct{}, 1)
	q.Notify(func() {
		select {
		case more <- struct{}{}:
		default:
		}
	})
	for total < publishers*each {
		got := lease(t, q, 70)
		if len(got) == 0 {
			<-more // a lost notification hangs here
		}
		for _, m := range got {
			if string(m.Payload) != fmt.Sprint(seen[m.Topic]) {
				t.Fatalf("topic %s: got %s, want %d", m.Topic, m.Payload, seen[m.Topic])
			}
			seen[m.Topic]++
			total++
			q.Ack(m.Seq)
		}
	}
	wg.Wait()
	if st := q.Stats(); st.Messages != 0 || st.Acked != publishers*each {
		t.Fatalf("%+v", st)
	}
}

func TestCloseAnswersEveryCommitOnce(t *testing.T) {
	s := open(t, t.TempDir())
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	var wg sync.WaitGroup
	var kept, closed, other atomic.Int64
	var calls [8][400]atomic.Int32
	running := make(chan struct{})
	var once sync.Once
	for p := range calls {
		wg.Go(func() {
			for n := range calls[p] {
				m := edged.Message{Topic: "t", Payload: make([]byte, 3000)}
				s.Commit(edged.Batch{Message: m, To: []edged.Delivery{{Queue: q}}}, func(err error) {
					calls[p][n].Add(1)
					once.Do(func() { close(running) })
					switch {
					case err == nil:
						kept.Add(1)
					case errors.Is(err, edged.ErrClosed):
						closed.Add(1)
					default:
						other.Add(1)
					}
				})
			}
		})
	}
	<-running
	wg.Go(func() { _ = s.Close() })
	if err := s.Close(); err != nil { // two at once
		t.Fatal(err)
	}
	wg.Wait()
	for p := range calls {
		for n := range calls[p] {
			if c := calls[p][n].Load(); c != 1 {
				t.Fatalf("done of %d/%d was called %d times", p, n, c)
			}
		}
	}
	if other.Load() != 0 {
		t.Fatalf("%d kept, %d closed, %d with other errors", kept.Load(), closed.Load(), other.Load())
	}
	s = open(t, s.dir)
	q = mustQueue(t, s, "q", edged.QueueLimits{})
	if st := q.Stats(); int64(st.Messages) != kept.Load() {
		t.Fatalf("%d were acknowledged, %d are there", kept.Load(), st.Messages)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	s.mu.Lock()
	s.tail.limit = 5000
	s.mu.Unlock()
	var wg sync.WaitGroup
	for i := range 4 {
		name := fmt.Sprint("q", i)
		wg.Go(func() {
			for n := range 40 {
				q, err := s.Queue(name, edged.QueueLimits{MaxMessages: 50})
				if err != nil {
					t.Error(err)
					return
				}
				done := make(chan error, 60)
				for range 30 {
					s.Commit(edged.Batch{Message: message(n), To: []edged.Delivery{{Queue: q, QoS: 2}}, Put: []edged.Record{{Key: name, Value: []byte{1}}}}, func(err error) { done <- err })
				}
				got, err := q.Lease(40)
				if err != nil {
					t.Error(err)
				}
				for _, m := range got {
					q.Received(m.Seq, func(err error) { done <- err })
					q.Ack(m.Seq)
				}
				for range 30 + len(got) {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				q.Rewind()
				q.Stats()
				s.Queues()
				if n%10 == 9 {
					deleted := make(chan error)
					s.DeleteQueue(name, func(err error) { deleted <- err })
					if err := <-deleted; err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if names := s.Queues(); len(names) != 0 || s.bytes != 0 {
		t.Fatalf("left: %v, %d bytes", names, s.bytes)
	}
}

func TestCommitBlocksWhileTheIntakeIsFull(t *testing.T) {
	s := open(t, t.TempDir())
	gate := make(chan struct{})
	s.Commit(edged.Batch{}, func(error) { <-gate }) // against the rules, to hold the committer up
	var done sync.WaitGroup
	blocked := make(chan struct{})
	done.Add(2 * intakeOps)
	go func() {
		for range 2 * intakeOps {
			s.Commit(edged.Batch{}, func(error) { done.Done() })
		}
		close(blocked)
	}()
	eventually(t, "fills the intake", func() bool {
		s.in.mu.Lock()
		defer s.in.mu.Unlock()
		return len(s.in.ops) == intakeOps
	})
	select {
	case <-blocked:
		t.Fatal("twice the intake's bound went in")
	default:
	}
	close(gate)
	<-blocked
	done.Wait()
}

func TestReceivedIsLeasedOnlyOnceItIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	q := mustQueue(t, s, "q", edged.QueueLimits{})
	appendN(t, s, q, 0, 3)
	wantPayloads(t, lease(t, q, 3), 0, 3)
	gate, entered := make(chan struct{}), make(chan struct{})
	s.Commit(edged.Batch{}, func(error) { close(entered); <-gate })
	<-entered
	done := make(chan error, 1)
	q.Received(2, func(err error) { done <- err })
	q.Rewind()
	notified := make(chan struct{}, 10)
	q.Notify(func() { notified <- struct{}{} })
	if got := lease(t, q, 3); len(got) != 1 || got[0].Seq != 1 {
		t.Fatalf("leased %d messages though the PUBREC of the second is not on disk", len(got))
	}
	close(gate)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	<-notified
	if got := lease(t, q, 3); len(got) != 2 || !got[0].Received || got[1].Received {
		t.Fatalf("%+v", got)
	}
	q.Received(99, func(err error) { done <- err }) // never leased: nothing to note
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestASecondProcessIsToldWhoHoldsTheFolder(t *testing.T) {
	s := open(t, t.TempDir())
	_, err := Open(testConfig(), Options{Dir: s.dir})
	if err == nil || !strings.Contains(err.Error(), "in use by process ") || !strings.Contains(err.Error(), s.dir) {
		t.Fatalf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, s.dir)
}
