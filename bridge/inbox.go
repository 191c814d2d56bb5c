package bridge

import (
	"errors"
	"sync"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// incoming is a message from the server that is not yet acknowledged to it.
type incoming struct {
	m   edged.Message
	ack func()
}

// inbox holds messages from the server until the local broker has kept them. One goroutine takes them, in order.
type inbox struct {
	wake chan struct{}

	mu    sync.Mutex
	msgs  []incoming
	bytes int
}

const (
	inboxMost  = 1024
	inboxBytes = 4 << 20
)

var errInboxFull = errors.New("messages come from the server faster than the local broker takes them; the connection is begun anew, and the server sends them again")

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) push(in incoming) error {
	size := len(in.m.Topic) + len(in.m.Payload)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.msgs) >= inboxMost || len(b.msgs) > 0 && b.bytes+size > inboxBytes {
		return errInboxFull
	}
	b.msgs, b.bytes = append(b.msgs, in), b.bytes+size
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

func (b *inbox) pop() (in incoming, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.msgs) == 0 {
		return incoming{}, false
	}
	in = b.msgs[0]
	b.msgs[0] = incoming{}
	b.msgs = b.msgs[1:]
	b.bytes -= len(in.m.Topic) + len(in.m.Payload)
	return in, true
}

// intake publishes what comes from the server.
func (l *link) intake() error {
	for {
		in, ok := l.inbox.pop()
		if !ok {
			select {
			case <-l.ctx.Done():
				return nil
			case <-l.inbox.wake:
			}
			continue
		}
		if !l.deliver(in) {
			return nil
		}
	}
}

// retryPublish is the pause after the local broker could not keep a message.
const retryPublish = time.Second

// deliver publishes one message, and acknowledges it once it is kept. What the local broker cannot keep now, as its disk
// is full, stays with the server and holds back those after it: order counts. false: the link has ended.
func (l *link) deliver(in incoming) bool {
	r, to, problem := l.u.receive.target(in.m.Topic)
	if problem != "" || topic.CheckName(in.m.Topic) != nil {
		l.u.log.Debug("a message from the server is not mapped", "topic", in.m.Topic, "reason", problem)
		l.u.count(func(s *Stats) { s.ReceiveDropped++ })
		in.ack()
		return true
	}
	m := in.m
	m.Topic, m.QoS = to, min(m.QoS, r.qos)
	for attempt := 0; l.ctx.Err() == nil; attempt++ {
		err := l.u.o.Bus.Publish(l.ctx, m)
		switch {
		case err == nil:
			l.u.count(func(s *Stats) { s.Received++ })
			in.ack()
			return true
		case l.ctx.Err() != nil:
			return false
		case in.m.QoS == edged.AtMostOnce:
			l.u.count(func(s *Stats) { s.ReceiveDropped++ })
			return true
		case attempt == 0:
			l.u.log.Warn("a message from the server waits: the local broker could not keep it", "topic", to, "error", err)
		}
		pauseFor(l.ctx, retryPublish)
	}
	return false
}
