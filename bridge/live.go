package bridge

import (
	"sync"

	"github.com/edged/edged"
)

// liveQueue holds QoS 0 messages until the pump takes them. It is bounded: QoS 0 is at most once.
type liveQueue struct {
	poke func()

	mu    sync.Mutex
	msgs  []edged.Message
	bytes int
}

const (
	liveMost  = 256
	liveBytes = 1 << 20
)

// push says whether there was room.
func (q *liveQueue) push(m edged.Message) bool {
	size := len(m.Topic) + len(m.Payload)
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.msgs) >= liveMost || len(q.msgs) > 0 && q.bytes+size > liveBytes {
		return false
	}
	q.msgs, q.bytes = append(q.msgs, m), q.bytes+size
	q.poke()
	return true
}

func (q *liveQueue) take() []edged.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	msgs := q.msgs
	q.msgs, q.bytes = nil, 0
	return msgs
}

// listen subscribes to what rules send at QoS 0. Each message is sent once: the first matching rule's subscription
// takes it, and what was published at a higher level comes through the queue.
func (l *link) listen() error {
	for i, r := range l.u.forward {
		s := edged.Subscription{Filter: r.from, QoS: edged.ExactlyOnce, NoLocal: true, RetainAsPublished: true}
		err := l.u.o.Bus.Subscribe(l.ctx, s, func(m edged.Message) {
			if l.u.forward.first(m.Topic) != i || min(m.QoS, r.qos) != edged.AtMostOnce {
				return
			}
			_, to, problem := l.u.forward.target(m.Topic)
			if problem == "" && len(to)+len(m.Payload)+overhead > int(l.u.cfg.PacketBytes) {
				problem = "too-long"
			}
			if problem != "" {
				l.u.drop(edged.Queued{Message: m}, problem)
				return
			}
			m.Topic, m.QoS = to, edged.AtMostOnce
			if !l.live.push(m) {
				l.u.count(func(s *Stats) { s.LiveDropped++ })
			}
		})
		if err != nil && l.ctx.Err() == nil {
			return err
		}
	}
	return nil
}
