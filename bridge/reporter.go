package bridge

import (
	"context"
	"time"

	"github.com/edged/edged"
)

// lossPause is the least time between two rounds of loss records; what is lost meanwhile is summed up.
const lossPause = time.Second

// lossRecord is a gap as it is published.
type lossRecord struct {
	edged.Loss
	Uplink string    `json:"uplink"`
	Time   time.Time `json:"time"`
}

// lossMessage is the same message here and on the server.
func (u *Uplink) lossMessage(l edged.Loss) edged.Message {
	now := time.Now().UTC()
	return edged.Message{
		Topic:   "edged/" + u.o.ID + "/uplinks/" + u.cfg.Name + "/lost",
		Payload: encode(lossRecord{Loss: l, Uplink: u.cfg.Name, Time: now}), QoS: edged.AtLeastOnce, Time: now,
	}
}

// Lost reports a gap in the queue; it does not block. It is published here and on the server, summed up by reason while
// it cannot be.
func (u *Uplink) Lost(l edged.Loss) {
	u.lostHere.add(l)
	u.lostAbove.add(l)
}

// drop counts a message that is not sent, and reports it.
func (u *Uplink) drop(q edged.Queued, reason string) {
	u.count(func(s *Stats) {
		if reason == "expired" {
			s.Expired++
		} else {
			s.SetAside++
		}
	})
	u.log.Debug("a message is not sent", "topic", q.Topic, "reason", reason, "seq", q.Seq)
	u.Lost(edged.Loss{
		Queue: u.o.Queue.Name(), Reason: reason, First: q.Seq, Last: q.Seq, Messages: 1, Bytes: uint64(len(q.Payload)),
		FirstTime: q.Time, LastTime: q.Time,
	})
}

// stateRecord is the retained record on the local broker.
type stateRecord struct {
	State   State     `json:"state"`
	Since   time.Time `json:"since"`
	Address string    `json:"address,omitempty"`
	Session uint64    `json:"session"`
	BootID  string    `json:"boot_id"`
	Error   string    `json:"error,omitempty"`
}

func (u *Uplink) stateMessage() edged.Message {
	s := u.Stats()
	r := stateRecord{State: s.State, Since: s.Since.UTC(), Address: s.Address, Session: s.Session, BootID: u.o.BootID, Error: s.Error}
	return edged.Message{
		Topic: "edged/" + u.o.ID + "/uplinks/" + u.cfg.Name + "/state", Payload: encode(r), QoS: edged.AtLeastOnce, Retain: true, Time: time.Now(),
	}
}

// retryReport is the pause after the local broker did not take a record.
const retryReport = 5 * time.Second

// report keeps the local records up to date: the latest state, and losses. A slow local broker holds up only these.
func (u *Uplink) report(ctx context.Context) {
	send := func(m edged.Message) error { return u.o.Bus.Publish(ctx, m) }
	lost, rested := u.lostHere.wake, (<-chan time.Time)(nil)
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-u.changed:
			if err = send(u.stateMessage()); err != nil {
				u.mark() // once more
			}
		case <-lost:
			err = u.lostHere.drain(send, u.lossMessage)
			lost, rested = nil, time.After(lossPause)
		case <-rested:
			lost, rested = u.lostHere.wake, nil
		}
		if err != nil && ctx.Err() == nil {
			u.log.Warn("the local broker did not take a record about this uplink", "error", err)
			pauseFor(ctx, retryReport)
		}
	}
}
