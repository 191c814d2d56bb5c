package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/edged/edged"
)

// note says which session on which server the queue's messages belong to. Another session knows nothing of them; and an
// old one, on a server that was left for another, knows packet identifiers that belong to other messages by now. So
// without the right note a connection begins with a clean session.
type note struct {
	ClientID string `json:"client_id"`
	// Server is its address; empty when all servers share sessions.
	Server string `json:"server,omitempty"`
}

func (u *Uplink) noteKey() string { return "uplink/" + u.cfg.Name + "/session" }

// loadNote reads the note. Without a store, a queue from which nothing was ever acknowledged has no session yet, and any
// other is taken to belong to the first server.
func (u *Uplink) loadNote() error {
	if u.o.Store == nil {
		if u.o.Queue.Stats().Cursor > 1 {
			u.note = u.noteFor(u.servers[0])
		}
		return nil
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
	return nil
}

// saveNote keeps the note on disk; an empty one deletes it.
func (u *Uplink) saveNote(ctx context.Context, n note) error {
	u.note = n
	if u.o.Store == nil {
		return nil
	}
	var value []byte
	if n != (note{}) {
		var err error
		if value, err = json.Marshal(n); err != nil {
			return err
		}
	}
	kept := make(chan error, 1)
	u.o.Store.Commit(edged.Batch{Put: []edged.Record{{Key: u.noteKey(), Value: value}}}, func(err error) { kept <- err })
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

// lastReceived looks through the messages that may have been sent for those that the server has taken over, and returns
// the last one's sequence number; 0: none.
func (u *Uplink) lastReceived() (last uint64, err error) {
	u.o.Queue.Rewind()
	defer u.o.Queue.Rewind()
	for {
		batch, err := u.o.Queue.Lease(leaseMost)
		if err != nil {
			return 0, fmt.Errorf("reading the queue: %w", err)
		}
		for _, q := range batch {
			if q.Received {
				last = q.Seq
			}
		}
		if len(batch) == 0 || batch[len(batch)-1].Seq > u.sentTo {
			return last, nil
		}
	}
}

// findSent finds the last message that an earlier process may have sent. It is called before anything else has leased
// from the queue: later, Redelivered says only that somebody has looked.
func (u *Uplink) findSent() error {
	u.o.Queue.Rewind()
	defer u.o.Queue.Rewind()
	for {
		batch, err := u.o.Queue.Lease(leaseMost)
		if err != nil {
			return fmt.Errorf("reading the queue: %w", err)
		}
		if len(batch) == 0 {
			return nil
		}
		for _, q := range batch {
			if q.Redelivered || q.Received {
				u.sentTo = q.Seq
			}
		}
		if batch[len(batch)-1].Seq > u.sentTo {
			return nil
		}
	}
}

// connect makes a connection with the right session, and runs it.
//
//	note right ──► connect, session kept ───────────────────────────────► run
//	                  └─ lost ── nothing taken over ────────────────────► run, all is sent again
//	                       └─ PUBRECs are void ── note deleted ──┐
//	note wrong ──► connect clean ◄────────────────── errVoid ────┘
//	                  └─ publish again what was taken over, till complete ──► connect, note written ──► run
//
// What was taken over and is void is published on a clean session only: if the power fails meanwhile, no server has a
// session in which a PUBREL, sent for the receipt that the queue still remembers, would complete nothing.
func (u *Uplink) connect(ctx context.Context, s *server) error {
	if u.note != u.noteFor(s) {
		if err := u.cleanSession(ctx, s); err != nil || ctx.Err() != nil {
			return err
		}
		return u.serve(ctx, s, true)
	}
	err := u.serve(ctx, s, false)
	if !errors.Is(err, errVoid) {
		return err
	}
	u.log.Warn("the server has lost the session; messages that it had taken over are sent again, and may be doubled", "server", s.url)
	if err := u.saveNote(ctx, note{}); err != nil {
		return err
	}
	return u.connect(ctx, s)
}

// cleanSession makes the server forget the session, and publishes again what it had taken over.
func (u *Uplink) cleanSession(ctx context.Context, s *server) error {
	last, err := u.lastReceived()
	if err != nil {
		return err
	}
	l, err := u.dial(ctx, s, true)
	if err != nil {
		return err
	}
	l.void, l.upTo = true, last
	if last == 0 {
		l.cancel(errLinkDone)
		return l.run(ctx)
	}
	u.o.Queue.Rewind()
	return l.run(ctx, l.pump)
}

// serve connects with the session that outlives the connection; fresh: it is a new one.
func (u *Uplink) serve(ctx context.Context, s *server, fresh bool) error {
	l, err := u.dial(ctx, s, false)
	if err != nil {
		return err
	}
	if !fresh && !l.conn.SessionPresent() {
		l.void = true
		last, err := u.lastReceived()
		if err == nil && last != 0 {
			err = errVoid
		}
		if err != nil {
			l.cancel(errLinkDone)
			return errors.Join(err, l.run(ctx))
		}
	}
	if fresh {
		l.void = true
		if err := u.saveNote(ctx, u.noteFor(s)); err != nil {
			l.cancel(err)
			return l.run(ctx)
		}
	}
	u.o.Queue.Rewind()
	u.up(l)
	return l.run(ctx, l.pump, l.listen, l.intake, l.subscribe, l.announce)
}
