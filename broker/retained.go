package broker

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

const (
	retainedPrefix = "retained/"
	// retainedLinger is how long a change by QoS 0 may wait to be saved: it was never acknowledged, and a card wears.
	retainedLinger = time.Second
)

// retained holds the last known value of every topic, in memory and as a record each.
type retained struct {
	limits Limits
	store  edged.Store
	log    *slog.Logger
	calm   *calm

	mu      sync.RWMutex
	names   topic.Names[*edged.Message]
	bytes   int64 // retainedSize of those of users
	own     int   // of the broker itself, under $SYS: few, and neither bounded nor in bytes
	refused uint64
	// unsaved topics differ from their record and wait for saveLazily; committing counts the commits under way by topic: a
	// change beside one is saved once more, because the order of their commits is not known.
	unsaved    map[string]struct{}
	committing map[string]int

	wake chan struct{}
	quit chan struct{}
}

func (t *retained) init(l Limits, s edged.Store, log *slog.Logger, c *calm) {
	t.limits, t.store, t.log, t.calm = l, s, log, c
	t.unsaved, t.committing = map[string]struct{}{}, map[string]int{}
	t.wake, t.quit = make(chan struct{}, 1), make(chan struct{})
}

func (t *retained) load() error {
	now := time.Now()
	return t.store.Records(retainedPrefix, func(r edged.Record) error {
		m, err := parseMessage(r.Value)
		if err != nil {
			t.log.Error("a retained message on disk is damaged; skipped", "record", r.Key, "error", err)
			return nil
		}
		if !m.Expired(now) {
			t.names.Set(m.Topic, &m)
			t.bytes += retainedSize(&m)
		}
		return nil
	})
}

func retainedSize(m *edged.Message) int64 { return int64(len(m.Topic) + len(m.Payload) + 200) }

// set makes r's message its topic's retained one, or removes that when the payload is empty (MQTT-3.3.1-6). A message of
// QoS 1 or 2 returns the record that its batch must hold; committed must be called when it is.
func (t *retained) set(r *router) (rec edged.Record) {
	m := r.msg
	t.mu.Lock()
	defer t.mu.Unlock()
	old, had := t.names.Get(m.Topic)
	if isSys(m.Topic) {
		if !had {
			t.own++
		}
		t.names.Set(m.Topic, r.keep())
		return rec
	}
	if len(m.Payload) == 0 {
		if !had {
			return rec
		}
		t.bytes -= retainedSize(old)
		t.names.Delete(m.Topic)
	} else {
		size := retainedSize(m)
		if had {
			size -= retainedSize(old)
		}
		full := !had && t.names.Len()-t.own >= t.limits.RetainedMessages || t.bytes+size > int64(t.limits.RetainedBytes)
		if full || topic.Levels(m.Topic) > t.limits.TopicLevels {
			t.refuse(m.Topic)
			return rec
		}
		kept := r.keep()
		t.names.Set(kept.Topic, kept)
		t.bytes += size
		if !had {
			t.calm.left(size)
		}
	}
	name := r.keep().Topic
	if m.QoS == 0 || t.committing[name] > 0 {
		t.later(name)
	}
	if m.QoS == 0 {
		return rec
	}
	t.committing[name]++
	rec.Key = retainedPrefix + name
	if len(m.Payload) > 0 {
		rec.Value = appendMessage(nil, r.keep())
	}
	return rec
}

func (t *retained) refuse(name string) {
	t.refused++
	if t.refused&(t.refused-1) == 0 { // 1st, 2nd, 4th, …: a flood must not fill the log
		t.log.Warn("a message is not retained; raise broker.limits.retained_messages, retained_bytes or topic_levels", "topic", name,
			"messages", t.names.Len(), "bytes", t.bytes, "refused so far", t.refused)
	}
}

// committed ends what set began.
func (t *retained) committed(key string) {
	name := strings.TrimPrefix(key, retainedPrefix)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.committing[name]--; t.committing[name] <= 0 {
		delete(t.committing, name)
	}
}

func (t *retained) later(name string) {
	t.unsaved[name] = struct{}{}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// match collects the retained messages that filter matches and that have not expired.
func (t *retained) match(filter string, now time.Time) (found []*edged.Message) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	t.names.Match(filter, func(_ string, m *edged.Message) bool {
		if !m.Expired(now) {
			found = append(found, m)
		}
		return true
	})
	return found
}

func (t *retained) count() (messages int, bytes int64, refused uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.names.Len(), t.bytes, t.refused
}

func (t *retained) stop() { close(t.quit) }

// saveLazily saves what QoS 0 changed, at most once a second, and what is left when it stops.
func (t *retained) saveLazily() {
	for {
		select {
		case <-t.quit:
			t.save()
			return
		case <-t.wake:
		}
		linger := time.NewTimer(retainedLinger)
		select {
		case <-t.quit:
		case <-linger.C:
		}
		linger.Stop()
		t.save()
	}
}

// save commits the present state of all unsaved topics, some hundred to a batch.
func (t *retained) save() {
	t.mu.Lock()
	var put []edged.Record
	for name := range t.unsaved {
		rec := edged.Record{Key: retainedPrefix + name}
		if m, ok := t.names.Get(name); ok {
			rec.Value = appendMessage(nil, m)
		}
		put = append(put, rec)
		t.committing[name]++
		delete(t.unsaved, name)
	}
	t.mu.Unlock()
	const chunk = 200
	for len(put) > 0 {
		n, bytes := 0, 0
		for ; n < min(chunk, len(put)) && bytes < 256<<10; n++ {
			bytes += len(put[n].Value)
		}
		part := put[:n]
		put = put[n:]
		t.store.Commit(edged.Batch{Put: part}, func(err error) {
			if err != nil {
				t.log.Error("retained messages were not saved; they are tried again when they change", "messages", len(part), "error", err)
			}
			for _, rec := range part {
				t.committed(rec.Key)
			}
		})
	}
}
