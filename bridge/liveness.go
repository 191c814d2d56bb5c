package bridge

import (
	"context"
	"encoding/json"
	"time"

	"github.com/edged/edged"
)

// record is the liveness record. A reader who compares BootID and Session never takes the will of an old connection for
// the end of a new one.
type record struct {
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	BootID  string    `json:"boot_id"`
	Session uint64    `json:"session"`
	Time    time.Time `json:"time"`
	Version string    `json:"version"`
	// Backlog waits to be sent; OldestAge is how old its first message is, in seconds.
	Backlog   *int     `json:"backlog,omitempty"`
	OldestAge *float64 `json:"oldest_age,omitempty"`
}

// liveness makes the retained message of a record.
func (u *Uplink) liveness(r record) edged.Message {
	r.BootID, r.Version, r.Time = u.o.BootID, u.o.Version, time.Now().UTC()
	return edged.Message{Topic: u.livenessTopic, Payload: encode(r), QoS: edged.AtLeastOnce, Retain: true, Time: r.Time}
}

func (u *Uplink) offline(session uint64, reason string) edged.Message {
	return u.liveness(record{State: "offline", Reason: reason, Session: session})
}

func (u *Uplink) online(session uint64) edged.Message {
	q := u.o.Queue.Stats()
	age := 0.0
	if !q.Oldest.IsZero() {
		age = max(time.Since(q.Oldest).Round(time.Millisecond).Seconds(), 0)
	}
	return u.liveness(record{State: "online", Session: session, Backlog: &q.Messages, OldestAge: &age})
}

// announce publishes the birth, then the losses as they come, and renews the record.
func (l *link) announce() error {
	if l.u.livenessTopic != "" {
		if err := l.publish(l.u.online(l.session)); err != nil {
			return err
		}
	}
	var every <-chan time.Time
	if l.u.livenessTopic != "" && l.u.cfg.Liveness.Every > 0 {
		t := time.NewTicker(l.u.cfg.Liveness.Every)
		defer t.Stop()
		every = t.C
	}
	for {
		select {
		case <-l.ctx.Done():
			return nil
		case <-every:
			if err := l.publish(l.u.online(l.session)); err != nil {
				return err
			}
		case <-l.u.lostAbove.wake:
			if err := l.u.lostAbove.drain(l.publish, l.u.lossMessage); err != nil {
				return err
			}
			pauseFor(l.ctx, lossPause)
		}
	}
}

// publish waits for the server's acknowledgement.
func (l *link) publish(m edged.Message) error {
	ctx, cancel := context.WithTimeout(l.ctx, l.u.cfg.AckTimeout)
	defer cancel()
	return l.conn.Announce(ctx, m)
}

// subscribe asks the server for what Receive maps. A refusal does not end the link: what goes up must not suffer.
func (l *link) subscribe() error {
	var subs []edged.Subscription
	for _, r := range l.u.receive {
		subs = append(subs, edged.Subscription{Filter: r.from, QoS: r.qos})
	}
	if len(subs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.u.cfg.AckTimeout)
	defer cancel()
	err := l.conn.Subscribe(ctx, subs)
	if err != nil && l.ctx.Err() == nil {
		l.u.log.Error("nothing is received: the server did not grant the subscriptions", "error", err)
	}
	l.u.count(func(s *Stats) { s.ReceiveError = text(err) })
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// encode writes JSON; the types here are ours and always have one.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return b
}

// pauseFor waits for d or for the end of ctx.
func pauseFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
