package gateway

import (
	"strings"
	"sync"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
	"github.com/edged/edged/bridge/paho"
)

// queuePrefix stands before an uplink's name in the names of queues.
const queuePrefix = "uplink/"

// uplink is an uplink, its place at the broker, and its task.
type uplink struct {
	cfg     bridge.Config
	queue   edged.Queue
	task    *bridge.Uplink
	detach  func()
	running *running
}

// newUplink opens the uplink's queue and makes the task. Nothing is routed into the queue before attach.
func (g *Gateway) newUplink(c bridge.Config) (*uplink, error) {
	name := queuePrefix + c.Name
	queue, err := g.store.Queue(name, edged.QueueLimits{MaxBytes: int64(c.Buffer.MaxBytes), WhenFull: c.Buffer.WhenFull})
	if err != nil {
		return nil, err
	}
	log := g.part(name)
	task, err := bridge.New(c, bridge.Options{
		ID: g.cfg.ID, BootID: g.bootID, Version: g.o.Version,
		Queue: queue, Bus: g.broker.Client(name), Store: g.store, Dial: paho.Dialer(log), Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &uplink{cfg: c, queue: queue, task: task}, nil
}

// attach has the broker route into the uplink's queue from here on, in place of what it routed there before.
func (g *Gateway) attach(u *uplink) (err error) {
	name := queuePrefix + u.cfg.Name
	if u.detach, err = g.broker.Attach(name, u.queue, u.cfg.Subscriptions()); err != nil {
		return err
	}
	g.losses.to(name, u.task.Lost)
	g.uplinks[u.cfg.Name] = u
	return nil
}

func (g *Gateway) detachAll() {
	for _, u := range g.uplinks {
		u.detach()
	}
}

// losses hands each loss to the uplink whose queue it was. What was lost before the uplink is there waits for it, up to a bound; losses of
// sessions are in the counters of their queues.
type losses struct {
	mu    sync.Mutex
	tell  map[string]func(edged.Loss)
	early []edged.Loss
}

// maxEarly bounds what waits: losses before the uplinks are there come from a damaged store, one a queue.
const maxEarly = 1000

func (l *losses) add(loss edged.Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if tell := l.tell[loss.Queue]; tell != nil {
		tell(loss)
	} else if strings.HasPrefix(loss.Queue, queuePrefix) && len(l.early) < maxEarly {
		l.early = append(l.early, loss)
	}
}

func (l *losses) to(queue string, tell func(edged.Loss)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tell == nil {
		l.tell = make(map[string]func(edged.Loss))
	}
	l.tell[queue] = tell
	rest := l.early[:0]
	for _, loss := range l.early {
		if loss.Queue == queue {
			tell(loss)
		} else {
			rest = append(rest, loss)
		}
	}
	l.early = rest
}
