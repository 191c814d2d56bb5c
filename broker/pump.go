package broker

import (
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// pumpState is that of the goroutine which brings messages from a session's queue to its connection; it exists only while there
// is something to bring.
type pumpState struct {
	running bool
	again   bool // woken while running
	full    bool // stopped at the window
	blocked bool // stopped at the output
	held    []edged.Queued
}

// pumpHighWater is how many bytes may wait for a client before the pump pauses.
const pumpHighWater = 256 << 10

// startPump: c.mu is held.
func (c *conn) startPump() {
	if c.sess == nil || c.kicked != nil {
		return
	}
	if c.pump.running {
		c.pump.again = true
		return
	}
	c.pumps.Add(1)
	c.pump.running = c.spawn(c.runPump)
	if !c.pump.running {
		c.pumps.Done()
	}
}

func (c *conn) runPump() {
	defer c.pumps.Done()
	r := &router{b: c.b, now: time.Now()}
	for {
		n, held := c.pumpRoom()
		if n < 0 {
			return
		}
		if len(held) == 0 {
			var err error
			if held, err = c.sess.queue.Lease(n); err != nil {
				c.kick(violation(refusal(err), "the session's queue cannot be read: %v", err))
				return
			}
		}
		more := len(held) > 0
		if !c.sendQueued(r, held) {
			more = true
		}
		r.flush()
		if !more && c.pumpDone() {
			return
		}
	}
}

// pumpRoom says how many messages may be leased, and gives back those that were and had no room; n < 0: stop.
func (c *conn) pumpRoom() (n int, held []edged.Queued) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pump.again = false
	c.pump.full = c.flights.open >= c.window || len(c.pump.held) > 0 && !c.flights.fits(c.pump.held[0].Seq)
	c.pump.blocked = c.out.bytes > pumpHighWater
	if c.kicked != nil || c.pump.full || c.pump.blocked {
		c.pump.running = false
		return -1, nil
	}
	held = c.pump.held
	c.pump.held = nil
	// Few at a time: leased messages are in memory, and some may be large.
	return min(c.window-c.flights.open, 64), held
}

// pumpDone says whether the pump may end: nothing was there, and nobody has woken it since.
func (c *conn) pumpDone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pump.again {
		return false
	}
	c.pump.running = false
	return true
}

// sendQueued sends leased messages; false: some had to be held back.
func (c *conn) sendQueued(r *router, leased []edged.Queued) bool {
	r.now = time.Now()
	for i := range leased {
		q := &leased[i]
		// What may have been sent does not expire (MQTT-4.3.3-7).
		if g := c.sess.grants; !q.Received && (!q.Redelivered && q.Expired(r.now) || g != nil && !g.Receive(q.Topic)) {
			c.b.stats.dropped.Add(1)
			c.sess.queue.Ack(q.Seq)
			continue
		}
		if !c.sendOne(r, q) {
			c.mu.Lock()
			c.pump.held = leased[i:]
			c.mu.Unlock()
			return false
		}
	}
	return true
}

func (c *conn) sendOne(r *router, q *edged.Queued) bool {
	p := toPublish(&q.Message, c.version, q.Identifiers, r.now)
	e, err := p.Encode(c.version)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights.open >= c.window || !c.flights.fits(q.Seq) || c.out.bytes > pumpHighWater {
		return false
	}
	id, qos := packetID(q.Seq), byte(q.QoS)
	if q.Received {
		c.flights.add(flight{seq: q.Seq, qos: 2, state: released})
		c.put(&mqtt.Pubrel{PacketID: id})
		c.schedule(r)
		return true
	}
	size := 0
	if err == nil {
		size = e.Size(qos)
	}
	if err != nil || c.maxPacket > 0 && size > int(c.maxPacket) {
		c.b.stats.dropped.Add(1)
		c.sess.queue.Ack(q.Seq)
		return true
	}
	c.flights.add(flight{seq: q.Seq, qos: qos})
	c.putPublish(e, size, q.Redelivered, qos, q.Retain, id)
	c.schedule(r)
	return true
}
