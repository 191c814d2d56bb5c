package bridge

import (
	"sync"

	"github.com/edged/edged"
)

// ledger sums up losses until somebody takes them: one sum for each reason, so that it stays small whatever is lost.
type ledger struct {
	mu   sync.Mutex
	sums []edged.Loss
	wake chan struct{}
}

// maxReasons bounds the sums; losses of further reasons are added to the last one, as "other".
const maxReasons = 16

func newLedger() *ledger { return &ledger{wake: make(chan struct{}, 1)} }

// add does not block.
func (g *ledger) add(l edged.Loss) {
	g.mu.Lock()
	g.sum(l)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *ledger) sum(l edged.Loss) {
	for i := range g.sums {
		if g.sums[i].Reason == l.Reason {
			merge(&g.sums[i], l)
			return
		}
	}
	if len(g.sums) < maxReasons {
		g.sums = append(g.sums, l)
		return
	}
	last := &g.sums[maxReasons-1]
	last.Reason = "other"
	merge(last, l)
}

// take returns the sums and begins anew.
func (g *ledger) take() []edged.Loss {
	g.mu.Lock()
	defer g.mu.Unlock()
	sums := g.sums
	g.sums = nil
	return sums
}

// merge widens a by b.
func merge(a *edged.Loss, b edged.Loss) {
	a.Messages += b.Messages
	a.Bytes += b.Bytes
	if b.First != 0 && (a.First == 0 || b.First < a.First) {
		a.First = b.First
	}
	a.Last = max(a.Last, b.Last)
	if !b.FirstTime.IsZero() && (a.FirstTime.IsZero() || b.FirstTime.Before(a.FirstTime)) {
		a.FirstTime = b.FirstTime
	}
	if b.LastTime.After(a.LastTime) {
		a.LastTime = b.LastTime
	}
}

// drain takes the sums and sends each; what cannot be sent is given back.
func (g *ledger) drain(send func(edged.Message) error, message func(edged.Loss) edged.Message) error {
	sums := g.take()
	for i, l := range sums {
		if err := send(message(l)); err != nil {
			for _, l := range sums[i:] {
				g.add(l)
			}
			return err
		}
	}
	return nil
}
