package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/edged/edged"
)

// note says what the queue's messages have to do with the server's session. It outlives the process.
//
// Another session knows nothing of the messages; and an old one, on a server that was left for another, knows packet
// identifiers that belong to other messages by now. So without the right note a connection begins with a clean session.
type note struct {
	ClientID string `json:"client_id"`
	// Server is its address; empty when all servers share sessions.
	Server string `json:"server,omitempty"`
	// Void are messages that an earlier session took over (PUBREC) and that were lost with it. The queue still holds them
	// to be received, but this session has to get them again: a PUBREL would complete nothing.
	Void []uint64 `json:"void,omitempty"`
}

func (n note) sessionOf(s note) bool { return n.ClientID == s.ClientID && n.Server == s.Server }

func (u *Uplink) noteKey() string { return "uplink/" + u.cfg.Name + "/session" }

func (u *Uplink) noteFor(s *server) note {
	if u.cfg.SharedSession {
		return note{ClientID: u.clientID}
	}
	return note{ClientID: u.clientID, Server: s.url.String()}
}

// loadNote reads the note. Without a store, a queue from which nothing was ever acknowledged has no session yet, and any
// other is taken to belong to the first server.
func (u *Uplink) loadNote() {
	if u.o.Store == nil {
		if u.o.Queue.Stats().Cursor > 1 {
			u.note = u.noteFor(u.servers[0])
		}
		return
	}
	err := u.o.Store.Records(u.noteKey(), func(r edged.Record) error {
		if r.Key != u.noteKey() {
			return nil
		}
		return json.Unmarshal(r.Value, &u.note)
	})
	if err != nil {
		u.log.Warn("the note about the server's session cannot be read; a new session is begun", "error", err)
		u.note = note{}
	}
}

// commitNote has the note kept on disk. It must not be called by the store's goroutine.
func (u *Uplink) commitNote(done func(error)) {
	if u.o.Store == nil {
		done(nil)
		return
	}
	u.o.Store.Commit(edged.Batch{Put: []edged.Record{{Key: u.noteKey(), Value: encode(u.note)}}}, done)
}

// saveNote replaces the note, and waits until it is on disk.
func (u *Uplink) saveNote(ctx context.Context, n note) error {
	u.note = n
	kept := make(chan error, 1)
	u.commitNote(func(err error) { kept <- err })
	select {
	case err := <-kept:
		if err != nil {
			return fmt.Errorf("keeping the note about the server's session: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scan leases the messages that may have been sent, gives them back, and returns those that the server took over.
func (u *Uplink) scan() (received []uint64, err error) {
	u.o.Queue.Rewind()
	defer u.o.Queue.Rewind()
	for {
		batch, err := u.o.Queue.Lease(leaseMost)
		if err != nil {
			return nil, fmt.Errorf("reading the queue: %w", err)
		}
		for _, q := range batch {
			if q.Received {
				received = append(received, q.Seq)
			}
			// Later, Redelivered says only that somebody has looked.
			if !u.scanned && (q.Received || q.Redelivered) {
				u.sentTo = q.Seq
			}
		}
		if len(batch) == 0 || batch[len(batch)-1].Seq > u.sentTo {
			u.scanned = true
			return received, nil
		}
	}
}

// connect makes a connection with the right session, and runs it.
//
//	note right ──► connect ── session kept ────────────────────────────────────► run
//	                     └── session lost ───────────────────┐
//	note wrong ──► connect clean, disconnect ──► connect ────┴► receipts void ──► run: all is sent again
func (u *Uplink) connect(ctx context.Context, s *server) error {
	known := u.note.sessionOf(u.noteFor(s))
	if !known {
		l, err := u.dial(ctx, s, true)
		if err != nil {
			return err
		}
		l.cancel(errLinkDone)
		if err := l.run(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
	l, err := u.dial(ctx, s, false)
	if err != nil {
		return err
	}
	if !known || !l.conn.SessionPresent() {
		l.lost = true
		if err := u.voidReceipts(ctx, s); err != nil {
			l.cancel(err)
			return l.run(ctx)
		}
	}
	u.o.Queue.Rewind()
	u.up(l)
	return l.run(ctx, l.pump, l.listen, l.intake, l.subscribe, l.announce)
}

// voidReceipts notes, before anything is sent in a new session, that what the server had taken over has to be sent again.
func (u *Uplink) voidReceipts(ctx context.Context, s *server) error {
	received, err := u.scan()
	if err != nil {
		return err
	}
	if len(received) > 0 {
		u.log.Warn("the server has no session for this edge any more; what was under way is sent again, and may be doubled", "taken_over", len(received))
	}
	n := u.noteFor(s)
	n.Void = received
	return u.saveNote(ctx, n)
}

// void says whether the receipt of a message is void.
func (u *Uplink) void(seq uint64) bool {
	u.noteMu.Lock()
	defer u.noteMu.Unlock()
	return slices.Contains(u.note.Void, seq)
}

// valid notes that this session has taken a message over; done is called at once if that changes nothing.
func (u *Uplink) valid(seq uint64, done func(error)) {
	u.noteMu.Lock()
	defer u.noteMu.Unlock()
	i := slices.Index(u.note.Void, seq)
	if i < 0 {
		done(nil)
		return
	}
	u.note.Void = slices.Delete(slices.Clone(u.note.Void), i, i+1)
	u.commitNote(done)
}
