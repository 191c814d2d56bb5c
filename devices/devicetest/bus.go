package devicetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged"
)

// Bus is an edged.Bus that keeps what is published, and can refuse or block it. The zero Bus is ready.
type Bus struct {
	mu       sync.Mutex
	messages []edged.Message
	refusal  error
	block    chan struct{}
	handlers map[string]handler
	changed  chan struct{}
}

var _ edged.Bus = (*Bus)(nil)

type handler struct {
	edged.Subscription
	take edged.Handler
}

// Publish keeps msgs, unless it was told otherwise.
func (b *Bus) Publish(ctx context.Context, msgs ...edged.Message) error {
	b.mu.Lock()
	block := b.block
	b.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refusal != nil {
		return b.refusal
	}
	b.messages = append(b.messages, msgs...)
	b.wake()
	return ctx.Err()
}

// Subscribe keeps h for Send until ctx is done.
func (b *Bus) Subscribe(ctx context.Context, s edged.Subscription, h edged.Handler) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refusal != nil {
		return b.refusal
	}
	if b.handlers == nil {
		b.handlers = map[string]handler{}
	}
	b.handlers[s.Filter] = handler{s, h}
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.handlers, s.Filter)
	})
	return nil
}

// Refuse makes Publish and Subscribe fail with err; nil: no more.
func (b *Bus) Refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusal = err
}

// Block makes Publish wait until the function returned is called.
func (b *Bus) Block() (unblock func()) {
	block := make(chan struct{})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.block = block
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.block = nil
		close(block)
	}
}

// Send hands a message to the subscriber whose filter has one + where the topic has a level. It fails the test when
// there is none. With the RETAIN flag the message stands for one that was there before, which not every subscriber wants.
func (b *Bus) Send(t *testing.T, m edged.Message) {
	t.Helper()
	b.mu.Lock()
	var found *handler
	for filter, h := range b.handlers {
		before, after, _ := strings.Cut(filter, "+")
		if strings.HasPrefix(m.Topic, before) && strings.HasSuffix(m.Topic, after) {
			found = &h
		}
	}
	b.mu.Unlock()
	if found == nil {
		t.Fatalf("nobody has subscribed to %s", m.Topic)
	}
	if !m.Retain || found.RetainHandling != 2 {
		found.take(m)
	}
}

// Messages returns what was published under topic; "": everything.
func (b *Bus) Messages(topic string) []edged.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.find(topic)
}

func (b *Bus) find(topic string) []edged.Message {
	return slices.DeleteFunc(slices.Clone(b.messages), func(m edged.Message) bool { return topic != "" && m.Topic != topic })
}

// Await waits until a message under topic has the payload parts, after the first skip ones under it, and returns how
// many there were up to that one. It fails the test after ten seconds.
func (b *Bus) Await(t *testing.T, topic string, skip int, parts ...string) int {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for {
		b.mu.Lock()
		found := b.find(topic)
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		for i, m := range found {
			missing := func(part string) bool { return !strings.Contains(string(m.Payload), part) }
			if i >= skip && !slices.ContainsFunc(parts, missing) {
				return i + 1
			}
		}
		select {
		case <-changed:
		case <-deadline.C:
			last := "none"
			if len(found) > 0 {
				last = string(found[len(found)-1].Payload)
			}
			t.Fatalf("no message under %s with %q; there were %d, the last %s", topic, parts, len(found), last)
		}
	}
}

// wake wakes those who await.
func (b *Bus) wake() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
