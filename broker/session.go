package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// Keys in the store. A session's queue is named like its record.
const (
	sessionPrefix = "session/"
	inboundPrefix = "inbound/"
)

// session is what a client identifier stands for, connected or not. With a queue it is persistent: it outlives its
// connections, and all its QoS 1 and 2 messages go through the queue, online or not. Without, it ends with its connection.
type session struct {
	b     *Broker
	id    string
	order uint64
	// user is whose the session is, for as long as it lives; grants are what he may do, nil: everything.
	user   string
	grants Grants
	queue  edged.Queue

	conn   atomic.Pointer[conn]
	count  atomic.Int32  // of filters
	expiry uint32        // seconds after the connection; the broker's mutex guards it
	left   bool          // the record says that the client is gone; guarded likewise
	timer  *time.Timer   // runs while an expiring session is offline; guarded likewise
	dying  chan struct{} // closed when an ended session's queue is deleted, and its name free; guarded likewise

	mu      sync.Mutex
	filters map[string]*subscription
	inbound map[uint16]inbound // QoS 2 messages between PUBLISH and PUBREL
	will    *delayedWill       // waits while the client is gone
}

// sessionRecord is what the store keeps of a persistent session.
type sessionRecord struct {
	Expiry uint32 `json:"expiry"`
	User   string `json:"user,omitempty"`
	// Left is when the client disconnected, in Unix seconds; 0: it was connected.
	Left    int64                `json:"left,omitempty"`
	Filters []edged.Subscription `json:"filters,omitempty"`
}

func (b *Broker) newSession(id, user string, grants Grants) *session {
	return &session{b: b, id: id, user: user, grants: grants, order: b.ids.Add(1), filters: map[string]*subscription{}}
}

func (s *session) principal() principal { return principal{name: s.id} }
func (s *session) single() bool         { return s.count.Load() == 1 }
func (s *session) ordinal() uint64      { return s.order }

// deliver puts QoS 1 and 2 messages of a persistent session into its queue, and sends everything else at once.
func (s *session) deliver(r *router, d delivery) { s.take(r, d) }

// take is deliver; false: the session cannot take the message, and another member of d.share may.
func (s *session) take(r *router, d delivery) bool {
	if s.grants != nil && !s.grants.Receive(r.msg.Topic) {
		if d.share == nil {
			s.b.stats.dropped.Add(1)
		}
		return false
	}
	if d.qos > 0 && s.queue != nil {
		r.to = append(r.to, edged.Delivery{Queue: s.queue, QoS: d.qos, Retain: d.retain, Identifiers: d.ids})
		return true
	}
	c := s.conn.Load()
	return c != nil && c.deliver(r, d)
}

// wake is called by the queue when it has something.
func (s *session) wake() {
	if c := s.conn.Load(); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.startPump()
	}
}

// openSession finds or makes the session for c, and takes it from another connection (MQTT-3.1.4-3). A session belongs to its user:
// others are refused, and nobody inherits anything of it. That of an anonymous client gives way to a user, who begins anew.
func (b *Broker) openSession(c *conn, clean bool) (s *session, present bool, code mqtt.ReasonCode) {
	id := c.client.name
	var old *session
	for {
		b.mu.Lock()
		if b.stopping {
			b.mu.Unlock()
			return nil, false, mqtt.ServerUnavailable
		}
		old = b.sessions[id]
		if old == nil {
			break
		}
		if old.user != c.user && old.user != "" && old.dying == nil {
			b.mu.Unlock()
			return nil, false, mqtt.ClientIdentifierNotValid
		}
		var free <-chan struct{} = old.dying
		if other := old.conn.Load(); free == nil && other != nil {
			free = other.wait(&other.released)
			other.kick(errTakenOver)
		}
		if free == nil {
			break
		}
		b.mu.Unlock()
		wait := time.NewTimer(time.Until(c.in.limit))
		select {
		case <-free:
			wait.Stop()
		case <-wait.C:
			return nil, false, mqtt.ServerBusy
		case <-c.quit:
			wait.Stop()
			return nil, false, mqtt.ServerUnavailable
		}
	}
	defer b.mu.Unlock()
	if old != nil && !clean && old.user == c.user {
		old.stopTimer()
		old.conn.Store(c)
		old.resumed(c)
		return old, true, mqtt.Success
	}
	if old == nil && len(b.sessions) >= b.cfg.Limits.Sessions {
		return nil, false, mqtt.QuotaExceeded
	}
	s = b.newSession(id, c.user, c.grants)
	s.expiry = c.expiry
	s.conn.Store(c) // whoever comes now waits for c's end
	b.sessions[id] = s
	if old != nil {
		old.stopTimer()
	}
	b.mu.Unlock()
	err := s.prepare(old, c)
	b.mu.Lock()
	if err != nil {
		b.log.Error("a session cannot be opened", "client", id, "error", err)
		delete(b.sessions, id)
		s.conn.Store(nil)
		return nil, false, mqtt.ServerUnavailable
	}
	return s, false, mqtt.Success
}

// resumed: what the record says of the time without a connection does not hold any more, and no will is published
// (MQTT-3.1.3-9). b.mu is held, so the commit goes out with c's first settle.
func (s *session) resumed(c *conn) {
	var put []edged.Record
	if s.takeWill(nil) != nil {
		put = append(put, s.noWill())
	}
	if s.left || s.expiry != c.expiry {
		s.mu.Lock()
		put = append(put, s.record(c.expiry, s.filters, 0))
		s.mu.Unlock()
	}
	s.expiry, s.left = c.expiry, false
	if len(put) > 0 {
		c.commits = append(c.commits, pendingCommit{edged.Batch{Put: put}, s.logFailure})
	}
}

// prepare deletes the old session, and makes the queue of a persistent one.
func (s *session) prepare(old *session, c *conn) error {
	if old != nil {
		gone := make(chan error, 1)
		old.destroy(func(err error) { gone <- err })
		select {
		case err := <-gone:
			if err != nil {
				return fmt.Errorf("delete the old one: %w", err)
			}
		case <-c.quit:
			return edged.ErrClosed
		}
	}
	if c.expiry == 0 {
		return nil
	}
	if err := s.openQueue(); err != nil {
		return err
	}
	s.b.commit(edged.Batch{Put: []edged.Record{s.record(c.expiry, nil, 0)}}, s.logFailure)
	return nil
}

func (s *session) openQueue() error {
	l := s.b.cfg.Limits
	q, err := s.b.store.Queue(sessionPrefix+s.id, edged.QueueLimits{MaxMessages: l.QueueMessages, MaxBytes: int64(l.QueueBytes), WhenFull: edged.DropOldest})
	if err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	s.b.mu.Lock() // the figures of $SYS look at all sessions' queues
	s.queue = q
	s.b.mu.Unlock()
	return nil
}

func (s *session) logFailure(err error) {
	if err != nil {
		s.b.log.Error("a session's record was not kept", "client", s.id, "error", err)
	}
}

// attach begins to send what waits in the queue.
func (s *session) attach(c *conn) {
	if s.queue == nil {
		return
	}
	s.queue.Rewind()
	s.queue.Notify(s.wake)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startPump()
}

// release ends c's hold of its session, which ends too unless it is persistent.
func (c *conn) release(end *ending) {
	s := c.sess
	if s == nil {
		return
	}
	b := c.b
	c.pumps.Wait() // the next connection's must be the only one

	var later time.Duration // that the will waits
	if c.expiry > 0 {
		later = time.Duration(min(c.willDelay, c.expiry)) * time.Second
	}
	will := c.will
	if !end.will {
		will = nil
	}
	if will != nil && later == 0 {
		b.sendWill(s, will)
		will = nil
	}
	if s.queue != nil {
		s.queue.Notify(nil)
		s.queue.Rewind()
	}
	b.mu.Lock()
	changed := s.expiry != c.expiry // by DISCONNECT
	s.expiry = c.expiry
	s.conn.Store(nil)
	if s.expiry == 0 {
		s.dying = make(chan struct{})
		b.mu.Unlock()
		s.end()
		b.passOn(c.lentOut())
		return
	}
	s.expireIn(time.Duration(s.expiry) * time.Second)
	var put []edged.Record
	var w *delayedWill
	if will != nil {
		var rec edged.Record
		var err error
		w, rec, err = s.delay(will, later)
		put = append(put, rec)
		s.logFailure(err)
	}
	if s.left = c.expiry != never || changed; s.left {
		s.mu.Lock()
		put = append(put, s.record(c.expiry, s.filters, time.Now().Unix()))
		s.mu.Unlock()
	}
	b.mu.Unlock()
	b.commit(edged.Batch{Put: put}, func(err error) {
		s.logFailure(err)
		if err == nil && w != nil {
			s.keptWill(w)
		}
	})
}

// expireIn lets the session end after d. b.mu is held.
func (s *session) expireIn(d time.Duration) {
	if s.expiry == never || s.b.stopping {
		return
	}
	s.timer = time.AfterFunc(d, s.expire)
}

func (s *session) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

func (s *session) expire() {
	b := s.b
	b.mu.Lock()
	if b.stopping || b.sessions[s.id] != s || s.conn.Load() != nil || s.timer == nil || s.dying != nil {
		b.mu.Unlock()
		return
	}
	s.dying = make(chan struct{})
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()
	b.stats.expired.Add(1)
	b.log.Info("a session expired", "client", s.id)
	s.end()
}

// end destroys a session that is marked as dying: until all of it is deleted, nobody gets another of its name, whose queue would
// be deleted with it.
func (s *session) end() {
	s.destroy(func(err error) {
		s.logFailure(err)
		s.b.mu.Lock()
		defer s.b.mu.Unlock()
		if s.b.sessions[s.id] == s {
			delete(s.b.sessions, s.id)
		}
		close(s.dying)
	})
}

// destroy ends the session: its subscriptions at once, its queue and records with the commits that done waits for.
func (s *session) destroy(done func(error)) {
	s.mu.Lock()
	filters := s.filters
	s.filters = map[string]*subscription{}
	s.count.Store(0)
	var put []edged.Record
	for id, in := range s.inbound {
		if in.kept {
			put = append(put, edged.Record{Key: s.inboundKey(id)})
		}
	}
	s.inbound = nil
	s.mu.Unlock()
	if len(filters) > 0 {
		s.b.routes.Lock()
		for _, sub := range filters {
			s.b.routes.remove(sub)
		}
		s.b.routes.Unlock()
	}
	if w := s.takeWill(nil); w != nil {
		s.sendDelayed(w) // the session's end comes before the delay's (MQTT 5.0 §3.1.3.2.2)
	}
	if s.queue == nil {
		done(nil)
		return
	}
	s.queue.Notify(nil)
	s.inherit(filters)
	put = append(put, edged.Record{Key: sessionPrefix + s.id})
	var failed error
	s.b.commit(edged.Batch{Put: put}, func(err error) { failed = err })
	s.b.store.DeleteQueue(sessionPrefix+s.id, func(err error) { done(errors.Join(failed, err)) })
}

// record is the session as the store keeps it.
func (s *session) record(expiry uint32, filters map[string]*subscription, left int64) edged.Record {
	rec := sessionRecord{Expiry: expiry, User: s.user, Left: left}
	for _, f := range filters {
		rec.Filters = append(rec.Filters, f.Subscription)
	}
	value, err := json.Marshal(rec)
	if err != nil {
		panic(err) // plain data
	}
	return edged.Record{Key: sessionPrefix + s.id, Value: value}
}

// loadSessions brings back what a store kept.
func (b *Broker) loadSessions() error {
	now := time.Now()
	err := b.store.Records(sessionPrefix, func(r edged.Record) error {
		var rec sessionRecord
		if err := json.Unmarshal(r.Value, &rec); err != nil {
			b.log.Error("a session's record is damaged; its queue is kept, its filters are lost", "record", r.Key, "error", err)
			rec = sessionRecord{Expiry: never}
		}
		id := strings.TrimPrefix(r.Key, sessionPrefix)
		var grants Grants
		if b.access != nil {
			grants = b.access.Grants(rec.User, id) // by the rules of now
		}
		s := b.newSession(id, rec.User, grants)
		s.expiry = rec.Expiry
		if err := s.openQueue(); err != nil {
			return fmt.Errorf("client %q: %w", s.id, err)
		}
		for _, f := range rec.Filters {
			sub := newSubscription(f, s)
			s.filters[f.Filter] = sub
			b.routes.add(sub)
		}
		s.count.Store(int32(len(s.filters)))
		b.sessions[s.id] = s
		left := time.Duration(rec.Expiry) * time.Second
		if rec.Left != 0 {
			left -= max(now.Sub(time.Unix(rec.Left, 0)), 0)
		}
		s.left = rec.Left != 0
		b.atRun = append(b.atRun, func() {
			if s.conn.Load() == nil {
				s.expireIn(max(left, 0))
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.loadWills(); err != nil {
		return err
	}
	for _, name := range b.store.Queues() {
		if id, ok := strings.CutPrefix(name, sessionPrefix); ok && b.sessions[id] == nil {
			b.log.Warn("a queue without a session is deleted", "queue", name)
			b.store.DeleteQueue(name, nil)
		}
	}
	return b.store.Records(inboundPrefix, func(r edged.Record) error {
		key := strings.TrimPrefix(r.Key, inboundPrefix)
		if i := strings.LastIndexByte(key, '/'); i >= 0 {
			id, err := strconv.ParseUint(key[i+1:], 10, 16)
			if s := b.sessions[key[:i]]; s != nil && err == nil {
				s.remember(uint16(id), inbound{kept: true, sure: true})
			}
		}
		return nil
	})
}

// inbound is what a session knows of a client's QoS 2 message.
type inbound struct {
	kept bool // its packet identifier is a record in its batch
	sure bool // its batch is kept: before that nobody may answer it
}

// remembers says whether the client's QoS 2 message with that packet identifier was taken in, and how many were.
func (s *session) remembers(id uint16) (in inbound, known bool, many int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, known = s.inbound[id]
	return in, known, len(s.inbound)
}

func (s *session) remember(id uint16, in inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inbound == nil {
		s.inbound = map[uint16]inbound{}
	}
	s.inbound[id] = in
}

// ensure notes that a message's batch is kept.
func (s *session) ensure(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in, known := s.inbound[id]; known {
		in.sure = true
		s.inbound[id] = in
	}
}

func (s *session) forget(id uint16) (known, kept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, known := s.inbound[id]
	if delete(s.inbound, id); len(s.inbound) == 0 {
		s.inbound = nil
	}
	return known, in.kept
}
