package buffer

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edged/edged"
	"pgregory.net/rapid"
)

// modelItem is a message as the model knows it.
type modelItem struct {
	seq                    uint64
	payload                string
	acked, received, begun bool
	unsaved                bool // acknowledged since the store was opened: a crash may forget it
}

// modelQueue is what a queue should do, without a disk.
type modelQueue struct {
	items  []*modelItem
	pos    int // the next to lease
	leased []*modelItem
	saved  int // after a crash, how many from the front may be marked as redelivered
}

func (m *modelQueue) lease(n int) []*modelItem {
	var out []*modelItem
	for ; m.pos < len(m.items) && len(out) < n; m.pos++ {
		if it := m.items[m.pos]; !it.acked {
			out = append(out, it)
		}
	}
	m.leased = append(m.leased, out...)
	return out
}

func (m *modelQueue) rewind() { m.pos, m.leased = 0, nil }

// machine drives a store and the models of its queues.
type machine struct {
	t       *rapid.T
	dirs    []string
	s       *Store
	names   []string
	queues  []edged.Queue
	models  []*modelQueue
	records map[string]string
	n       int
}

func (m *machine) open(dir string) {
	s, err := Open(testConfig(), Options{Dir: dir, OnLoss: func(l edged.Loss) { panic(fmt.Sprintf("loss: %+v", l)) }})
	if err != nil {
		m.t.Fatal(err)
	}
	s.mu.Lock()
	s.tail.limit = 3000 // so that the disk is read too
	s.mu.Unlock()
	m.s, m.queues = s, nil
	for _, name := range m.names {
		q, err := s.Queue(name, edged.QueueLimits{})
		if err != nil {
			m.t.Fatal(err)
		}
		m.queues = append(m.queues, q)
	}
}

// pick gives a queue and its model.
func (m *machine) pick(t *rapid.T) (edged.Queue, *modelQueue) {
	i := rapid.IntRange(0, len(m.names)-1).Draw(t, "queue")
	return m.queues[i], m.models[i]
}

func (m *machine) Append(t *rapid.T) {
	count := rapid.IntRange(1, 60).Draw(t, "count")
	size := rapid.SampledFrom([]int{0, 10, 300, 2000}).Draw(t, "size")
	both := rapid.Bool().Draw(t, "both")
	errs := make(chan error, count)
	for range count {
		m.n++
		text := fmt.Sprintf("%d%s", m.n, strings.Repeat(".", size))
		b := edged.Batch{Message: edged.Message{Topic: "t", Payload: []byte(text)}}
		for i, q := range m.queues {
			if i > 0 && !both {
				break
			}
			b.To = append(b.To, edged.Delivery{Queue: q, QoS: 2})
			mq := m.models[i]
			mq.items = append(mq.items, &modelItem{seq: uint64(len(mq.items)) + 1, payload: text})
		}
		m.s.Commit(b, func(err error) { errs <- err })
	}
	for range count {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
}

func (m *machine) Lease(t *rapid.T) {
	q, mq := m.pick(t)
	n := rapid.IntRange(0, 100).Draw(t, "n")
	got, err := q.Lease(n)
	if err != nil {
		t.Fatal(err)
	}
	want := mq.lease(n)
	if len(got) != len(want) {
		t.Fatalf("leased %d, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.Seq != w.seq || string(g.Payload) != w.payload || g.Received != w.received || g.QoS != 2 {
			t.Fatalf("leased %d %.10q received %v, want %d %.10q %v", g.Seq, g.Payload, g.Received, w.seq, w.payload, w.received)
		}
		if g.Redelivered != w.begun && (w.begun || int(w.seq) > mq.saved) {
			t.Fatalf("%d: redelivered is %v, want %v", g.Seq, g.Redelivered, w.begun)
		}
		w.begun = true
	}
}

func (m *machine) Ack(t *rapid.T) {
	q, mq := m.pick(t)
	for range rapid.IntRange(1, 40).Draw(t, "count") {
		if len(mq.leased) == 0 {
			return
		}
		i := min(rapid.SampledFrom([]int{0, 0, 0, 1, 7}).Draw(t, "which"), len(mq.leased)-1)
		it := mq.leased[i]
		mq.leased = slices.Delete(mq.leased, i, i+1)
		it.acked, it.unsaved = true, true
		q.Ack(it.seq)
		q.Ack(it.seq) // a second one is no harm
	}
}

func (m *machine) Received(t *rapid.T) {
	q, mq := m.pick(t)
	if len(mq.leased) == 0 {
		return
	}
	done := make(chan error)
	it := rapid.SampledFrom(mq.leased).Draw(t, "which")
	q.Received(it.seq, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	it.received = true
}

func (m *machine) Rewind(t *rapid.T) {
	q, mq := m.pick(t)
	q.Rewind()
	mq.rewind()
}

func (m *machine) Record(t *rapid.T) {
	key := rapid.SampledFrom([]string{"a", "a/b", "b"}).Draw(t, "key")
	value := rapid.SampledFrom([]string{"", "x", strings.Repeat("y", 3000), "-"}).Draw(t, "value")
	r := edged.Record{Key: key, Value: []byte(value)}
	if m.records[key] = value; value == "-" {
		r.Value = nil
		delete(m.records, key)
	}
	if err := commit(m.s, edged.Batch{Put: []edged.Record{r}}); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) Reopen(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, mq := range m.models {
		mq.rewind()
		for _, it := range mq.items {
			it.unsaved = false
		}
	}
	m.open(m.dirs[len(m.dirs)-1])
}

// Crash goes on with a copy of the files, as they are when the process dies.
func (m *machine) Crash(t *rapid.T) {
	var dir string
	for again := true; again; {
		// Badger may be at work in the background: only a copy in whose making no file came or went is like a crash.
		var err error
		if dir, err = os.MkdirTemp(m.dirs[0], "crash"); err != nil {
			t.Fatal(err)
		}
		before := m.listing(t)
		err = os.CopyFS(dir+"/db", os.DirFS(m.s.dir+"/db"))
		again = err != nil || before != m.listing(t)
	}
	marker, err := os.ReadFile(m.s.dir + "/marker")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/marker", marker, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	m.dirs = append(m.dirs, dir)
	m.open(dir)
	for i, mq := range m.models {
		mq.rewind()
		m.settle(t, m.queues[i].(*queue), mq)
	}
}

// listing describes Badger's folder.
func (m *machine) listing(t *rapid.T) string {
	names, err := os.ReadDir(m.s.dir + "/db")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range names {
		if st, err := n.Info(); err == nil {
			fmt.Fprintln(&b, n.Name(), st.Size())
		}
	}
	return b.String()
}

// settle learns which acknowledgements the crash forgot.
func (m *machine) settle(t *rapid.T, q *queue, mq *modelQueue) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	mq.saved = int(q.cursor) + resendWindow
	for _, it := range mq.items {
		if done := it.seq < q.cursor || q.gone.contains(it.seq); done != it.acked {
			if done || !it.unsaved {
				t.Fatalf("after the crash, %d is done with: %v, was acknowledged: %v", it.seq, done, it.acked)
			}
			it.acked = false
		}
		it.unsaved = false
	}
}

// Check runs after each step.
func (m *machine) Check(t *rapid.T) {
	for i, mq := range m.models {
		messages := 0
		for _, it := range mq.items {
			if !it.acked {
				messages++
			}
		}
		begun := len(mq.leased)
		st := m.queues[i].Stats()
		if st.Messages != messages || st.InFlight != begun || st.Next != uint64(len(mq.items))+1 || (messages == 0) != (st.Bytes == 0) || st.Lost != 0 {
			t.Fatalf("queue %s: %+v, want %d messages, %d in flight", m.names[i], st, messages, begun)
		}
	}
	got := map[string]string{}
	if err := m.s.Records("", func(r edged.Record) error { got[r.Key] = string(r.Value); return nil }); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(m.records) {
		t.Fatalf("records are %.200v, want %.200v", got, m.records)
	}
}

func TestStoreBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: rt, dirs: []string{t.TempDir()}, names: []string{"one", "two"}, models: []*modelQueue{{}, {}}, records: map[string]string{}}
		m.open(m.dirs[0])
		defer func() { _ = m.s.Close() }()
		actions := map[string]func(*rapid.T){
			"append": m.Append, "lease": m.Lease, "lease more": m.Lease, "ack": m.Ack, "ack more": m.Ack,
			"received": m.Received, "rewind": m.Rewind, "record": m.Record, "reopen": m.Reopen, "crash": m.Crash, "": m.Check,
		}
		rt.Repeat(actions)
	})
}
