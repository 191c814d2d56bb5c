package broker

import (
	"sync"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// ackWindow is how many of a client's messages may wait for the disk; then its reader stops. It is the receive maximum told
// to version 5 clients.
const ackWindow = 1000

// acks are the acknowledgements that a client awaits, in the order of its messages. One is sent when its message is kept
// and all before it are answered (MQTT-4.6.0-2, -3).
//
//	base ── kept, sent next ── not kept yet ── kept, waits for its turn ── next
type acks struct {
	entries []ack
	base    uint64     // the number of entries[0]
	room    *sync.Cond // on c.mu: fewer entries, or no retry any more; nil until somebody waited for it
	// retrying: the store refused a 3.x client's message, whom nothing can be told. It is committed again until the store
	// takes it; until then the reader takes no other.
	retrying bool
	bytes    int64 // of the messages in entries that wait for the disk
	left     bool  // the connection is over: bytes counts no more
	// fence ties a 3.x client's messages together: when one is refused, those behind it on their way to the disk are, too, and
	// are committed again after it.
	fence *edged.Fence
}

type ack struct {
	id    uint16
	qos   byte
	code  mqtt.ReasonCode
	kept  bool
	size  int64       // of the message, while it waits for the disk
	again bool        // the store refused batch
	batch edged.Batch // of 3.x clients
}

func (a *acks) pending(id uint16, qos byte) bool {
	for i := range a.entries {
		if e := &a.entries[i]; e.id == id && e.qos == qos && !e.code.Failed() {
			return true
		}
	}
	return false
}

// changed wakes the reader. c.mu is held.
func (a *acks) changed() {
	if a.room != nil {
		a.room.Broadcast()
	}
}

// awaitRoom holds the reader while the store is behind.
func (c *conn) awaitRoom() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.behind() {
		return nil
	}
	c.mu.Unlock()
	c.settle()
	c.mu.Lock()
	for c.behind() && c.kicked == nil {
		if c.acks.room == nil {
			c.acks.room = sync.NewCond(&c.mu)
		}
		c.acks.room.Wait()
	}
	if c.kicked != nil {
		return c.kicked
	}
	c.router.now = time.Now() // the time it was not listened to counts for no keep alive interval
	return nil
}

// acknowledge answers a message once batch is kept.
func (c *conn) acknowledge(id uint16, qos byte, batch edged.Batch) {
	nothing := len(batch.To) == 0 && len(batch.Put) == 0
	c.mu.Lock()
	defer c.mu.Unlock()
	if nothing && qos == 2 {
		c.sess.ensure(id)
	}
	if nothing && len(c.acks.entries) == 0 {
		c.putAck(ack{id: id, qos: qos})
		c.schedule(&c.router)
		return
	}
	n := c.acks.base + uint64(len(c.acks.entries))
	entry := ack{id: id, qos: qos, kept: nothing}
	if !nothing {
		entry.size = int64(len(batch.Message.Topic) + len(batch.Message.Payload))
	}
	if c.version != mqtt.V5 && !nothing {
		entry.batch = batch
		if c.acks.fence == nil {
			c.acks.fence = new(edged.Fence)
		}
		batch.Fence = c.acks.fence
	}
	c.acks.entries = append(c.acks.entries, entry)
	if !nothing {
		c.ahead(entry.size)
		c.commits = append(c.commits, pendingCommit{batch, func(err error) { c.committed(n, err) }})
	}
}

// committed is called by the store.
func (c *conn) committed(n uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &c.acks.entries[n-c.acks.base]
	e.kept = err == nil || c.version == mqtt.V5
	switch {
	case err != nil:
		c.refused(e, err)
	case e.qos == 2:
		c.sess.ensure(e.id)
	}
	for len(c.acks.entries) > 0 && c.acks.entries[0].kept {
		c.putAck(c.acks.entries[0])
		c.ahead(-c.acks.entries[0].size)
		c.acks.entries[0] = ack{}
		c.acks.entries = c.acks.entries[1:]
		c.acks.base++
	}
	if len(c.acks.entries) == 0 {
		c.acks.entries = nil
	}
	c.acks.changed()
	c.kickWriter()
}

func (c *conn) putAck(a ack) {
	if a.qos == 1 {
		c.put(&mqtt.Puback{PacketID: a.id, Code: a.code})
	} else {
		c.put(&mqtt.Pubrec{PacketID: a.id, Code: a.code})
	}
}

// refused: the store did not take a message. c.mu is held.
func (c *conn) refused(e *ack, err error) {
	n := c.b.stats.denied.Add(1)
	if n&(n-1) == 0 {
		c.b.log.Error("a message was not acknowledged, because it could not be kept", "client", c.client.name, "error", err, "so far", n)
	}
	if c.version == mqtt.V5 {
		e.code = refusal(err)
		if e.qos == 2 {
			c.sess.forget(e.id)
		}
		return
	}
	e.again = true
	if c.kicked != nil {
		c.giveUp()
		return
	}
	if !c.acks.retrying {
		c.acks.retrying = c.spawn(c.retry)
	}
}

// giveUp: the connection is over, nobody commits again what the store refused. A QoS 2 message among it must not be taken for one that was
// kept when the client sends it again. c.mu is held.
func (c *conn) giveUp() {
	for i := range c.acks.entries {
		if e := &c.acks.entries[i]; e.again {
			e.again = false
			if e.qos == 2 {
				c.sess.forget(e.id)
			}
		}
	}
}

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// retry commits again what the store refused, in order, with a growing pause, while the connection lives.
func (c *conn) retry() {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.kicked != nil {
			c.giveUp()
		}
	}()
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		t := time.NewTimer(pause)
		select {
		case <-c.quit:
			t.Stop()
			return
		case <-t.C:
		}
		c.mu.Lock()
		var numbers []uint64
		var batches []edged.Batch
		waiting := false // for the store, which will refuse it by the fence
		for i := range c.acks.entries {
			e := &c.acks.entries[i]
			waiting = waiting || !e.kept
			if e.again {
				e.again = false
				numbers, batches = append(numbers, c.acks.base+uint64(i)), append(batches, e.batch)
			}
		}
		if !waiting {
			c.acks.retrying, c.acks.fence = false, nil
			c.acks.changed()
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		for i, n := range numbers {
			var failed bool
			answered := make(chan error, 1)
			c.b.store.Commit(batches[i], func(err error) {
				c.committed(n, err)
				answered <- err
			})
			select {
			case err := <-answered:
				failed = err != nil
			case <-c.quit:
				return
			}
			if failed {
				c.tryLater(numbers[i+1:])
				break
			}
		}
	}
}

// tryLater: after one failed the others must not overtake it.
func (c *conn) tryLater(numbers []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range numbers {
		c.acks.entries[n-c.acks.base].again = true
	}
}
