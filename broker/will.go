package broker

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/edged/edged"
)

// willPrefix begins the records of wills that wait for their delay.
const willPrefix = "will/"

// delayedWill is a will whose client is gone, and which is published when its delay interval has passed or the session ends,
// whichever is first, and never if the client comes back to its session (MQTT 5.0 §3.1.3.2.2, MQTT-3.1.3-9).
type delayedWill struct {
	msg   *edged.Message // nil: only on disk, so that a flood of sessions does not fill the memory with wills
	timer *time.Timer    // nil: found on disk, and not started yet
}

// willRecord is what the store keeps of it.
type willRecord struct {
	// Left is when the client was lost, in Unix milliseconds; Delay is in milliseconds too.
	Left    int64  `json:"left"`
	Delay   int64  `json:"delay"`
	Retain  bool   `json:"retain,omitempty"`
	Message []byte `json:"message"`
}

// sendWill publishes a will of s as if its client had (MQTT-3.1.2-8). put goes into the same commit.
func (b *Broker) sendWill(s *session, will *edged.Message, put ...edged.Record) {
	if s.grants != nil && !s.grants.Publish(will.Topic) { // the rules have changed since CONNECT
		b.stats.denied.Add(1)
		b.log.Warn("a will was refused: no rule of broker.access lets its client publish there any more", "client", s.id, "user", s.user, "topic", will.Topic)
		b.commit(edged.Batch{Put: put}, s.logFailure)
		return
	}
	m := *will
	m.Time = time.Now()
	r := &router{b: b, now: m.Time}
	batch := r.route(&m, s.principal(), false)
	r.flush()
	batch.Put = append(batch.Put, put...)
	b.commit(batch, func(err error) {
		if err != nil {
			b.log.Error("a will was not kept", "client", s.id, "topic", m.Topic, "error", err)
		}
	})
}

// delay keeps a will for later, and returns it with its record. The broker's mutex is held.
func (s *session) delay(will *edged.Message, d time.Duration) (*delayedWill, edged.Record, error) {
	w := &delayedWill{msg: will}
	value, err := json.Marshal(willRecord{
		Left: time.Now().UnixMilli(), Delay: d.Milliseconds(), Retain: will.Retain, Message: appendMessage(nil, will),
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.will = w
	w.timer = time.AfterFunc(d, func() { s.fire(w) })
	return w, edged.Record{Key: willPrefix + s.id, Value: value}, err
}

// keptWill is called when the record of w is on disk.
func (s *session) keptWill(w *delayedWill) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.will == w {
		w.msg = nil
	}
}

// takeWill returns the will that waits, if it is w or w is nil; from here on it is the caller's to publish or to forget.
func (s *session) takeWill(w *delayedWill) *delayedWill {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.will == nil || w != nil && s.will != w {
		return nil
	}
	w = s.will
	if w.timer != nil {
		w.timer.Stop()
	}
	s.will = nil
	return w
}

// sendDelayed publishes what takeWill has returned, and deletes its record.
func (s *session) sendDelayed(w *delayedWill) {
	m := w.msg
	if m == nil {
		err := s.b.store.Records(willPrefix+s.id, func(r edged.Record) error {
			if r.Key != willPrefix+s.id {
				return nil
			}
			var err error
			m, _, err = parseWill(r)
			return err
		})
		if m == nil {
			s.b.log.Error("a will cannot be read back", "client", s.id, "error", err)
			return
		}
	}
	s.b.sendWill(s, m, s.noWill())
}

// parseWill reads a record.
func parseWill(r edged.Record) (*edged.Message, willRecord, error) {
	var rec willRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return nil, rec, err
	}
	m, err := parseMessage(rec.Message)
	if err != nil {
		return nil, rec, err
	}
	m.Retain = rec.Retain
	return &m, rec, nil
}

// noWill deletes the record of a will.
func (s *session) noWill() edged.Record { return edged.Record{Key: willPrefix + s.id} }

// fire is called when the delay has passed.
func (s *session) fire(w *delayedWill) {
	b := s.b
	b.mu.Lock()
	if b.stopping {
		b.mu.Unlock()
		return // the next life of the broker finds it on disk
	}
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()
	if w := s.takeWill(w); w != nil {
		s.sendDelayed(w)
	}
}

// loadWills brings back the wills that a store kept. Their time runs on when the broker does.
func (b *Broker) loadWills() error {
	now := time.Now()
	return b.store.Records(willPrefix, func(r edged.Record) error {
		s := b.sessions[strings.TrimPrefix(r.Key, willPrefix)]
		_, rec, err := parseWill(r)
		if err == nil && s == nil {
			err = fmt.Errorf("there is no session %q", strings.TrimPrefix(r.Key, willPrefix))
		}
		if err != nil {
			b.log.Error("a will on disk cannot be used; it is deleted", "record", r.Key, "error", err)
			b.store.Commit(edged.Batch{Put: []edged.Record{{Key: r.Key}}}, nil)
			return nil
		}
		w := &delayedWill{}
		s.will = w
		delay := time.Duration(rec.Delay) * time.Millisecond
		left := delay - max(now.Sub(time.UnixMilli(rec.Left)), 0)
		b.atRun = append(b.atRun, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.will == w {
				w.timer = time.AfterFunc(max(left, 0), func() { s.fire(w) })
			}
		})
		return nil
	})
}

// startClocks lets sessions expire, and wills be published, that were loaded: only now, when all who listen are there.
func (b *Broker) startClocks() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.atRun {
		f()
	}
	b.atRun = nil
}
