package broker

import (
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// waiter is a QoS 1 or 2 message beyond the window of a client without a queue.
type waiter struct {
	encoded mqtt.Encoded
	qos     byte
	retain  bool
	size    int
	expires time.Time // zero: never
	msg     *edged.Message
	ids     []uint32
	lent    *lent
}

// deliver sends r's message to the client, or lets it wait for the window. It never blocks: what a client that does not
// read cannot take is dropped at QoS 0, and ends the connection at QoS 1 and 2. False: it was not taken, and nothing is counted if
// another member of d.share may get it.
func (c *conn) deliver(r *router, d delivery) bool {
	var e mqtt.Encoded
	if len(d.ids) == 0 {
		var ok bool
		if e, ok = r.encode(c.version); !ok {
			return true
		}
	} else {
		p := toPublish(r.msg, c.version, d.ids, r.now)
		var err error
		if e, err = p.Encode(c.version); err != nil {
			c.b.stats.dropped.Add(1)
			return true
		}
	}
	qos := byte(d.qos)
	size := e.Size(qos)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kicked != nil || c.out.failed {
		return false
	}
	if c.maxPacket > 0 && size > int(c.maxPacket) {
		return c.drop(d) // as if it had been delivered (MQTT-3.1.2-25)
	}
	limits := &c.b.cfg.Limits
	if qos == 0 {
		if c.out.bytes+size > int(limits.QueueBytes) || c.out.messages >= limits.QueueMessages || c.crowded() {
			return c.drop(d)
		}
		c.putPublish(e, size, false, 0, d.retain, 0)
		c.schedule(r)
		return true
	}
	var l *lent
	if d.share != nil {
		l = &lent{d.share, r.keep()}
	}
	if len(c.waiting) == 0 && c.windowOpen() {
		c.sendFlight(e, size, qos, d.retain, l)
		c.schedule(r)
		return true
	}
	if c.waitSize+int64(size) > int64(limits.QueueBytes) || len(c.waiting) >= limits.QueueMessages || c.crowded() {
		c.b.stats.overflows.Add(1)
		c.kickLocked(errOverflow)
		return false
	}
	w := waiter{encoded: e, qos: qos, retain: d.retain, size: size, lent: l}
	if m := r.msg; m.Props != nil && m.Props.HasExpiry {
		w.msg, w.ids = r.keep(), d.ids
		w.expires = m.Time.Add(time.Duration(m.Props.Expiry) * time.Second)
	}
	c.waiting = append(c.waiting, w)
	c.waitSize += int64(size)
	c.account()
	return true
}

// drop counts a message that the client cannot take, unless another member of its share may.
func (c *conn) drop(d delivery) (taken bool) {
	if d.share != nil {
		return false
	}
	c.b.stats.dropped.Add(1)
	return true
}

// windowOpen: c.mu is held.
func (c *conn) windowOpen() bool { return c.flights.open < c.window && c.flights.fits(c.nextSeq) }

// sendFlight sends a message that comes from no queue. c.mu is held.
func (c *conn) sendFlight(e mqtt.Encoded, size int, qos byte, retain bool, l *lent) {
	c.flights.add(flight{seq: c.nextSeq, qos: qos, lent: l})
	c.putPublish(e, size, false, qos, retain, packetID(c.nextSeq))
	c.nextSeq++
}

// putPublish: c.mu is held.
func (c *conn) putPublish(e mqtt.Encoded, size int, dup bool, qos byte, retain bool, id uint16) {
	if c.toClient != nil {
		c.putAliased(e, size, dup, qos, retain, id)
	} else {
		c.out.grew(e.Append(c.out.room(size), dup, qos, retain, id), size)
	}
	c.out.messages++
	c.account()
	c.out.counted.messages++
	c.out.counted.packets++
	c.out.counted.payload += uint64(e.Payload())
}

// advance sends what the window has room for now. c.mu is held.
func (c *conn) advance() {
	if c.sess.queue != nil {
		if c.pump.full && c.flights.open <= c.window/2 {
			c.pump.full = false
			c.startPump()
		}
		return
	}
	for len(c.waiting) > 0 && c.windowOpen() {
		w := c.waiting[0]
		c.waiting[0] = waiter{}
		c.waiting = c.waiting[1:]
		c.waitSize -= int64(w.size)
		if w.msg != nil {
			now := time.Now()
			if !now.Before(w.expires) {
				c.b.stats.dropped.Add(1)
				continue
			}
			p := toPublish(w.msg, c.version, w.ids, now)
			if e, err := p.Encode(c.version); err == nil {
				w.encoded, w.size = e, e.Size(w.qos)
			}
		}
		c.sendFlight(w.encoded, w.size, w.qos, w.retain, w.lent)
		c.schedule(&c.router)
	}
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
}

// done completes a message in flight: by PUBACK, PUBCOMP, or a PUBREC that refuses. c.mu is held.
func (c *conn) done(f *flight) {
	seq := f.seq
	c.flights.complete(f)
	if q := c.sess.queue; q != nil {
		q.Ack(seq)
	}
	c.advance()
}

func (c *conn) onPuback(p *mqtt.Puback) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights.find(p.PacketID); f != nil && f.qos == 1 {
		c.done(f)
	}
}

// onPubrec: from here on only PUBREL is sent (MQTT-4.3.3-4); for a queue's message that is on disk first.
func (c *conn) onPubrec(p *mqtt.Pubrec) {
	c.mu.Lock()
	f := c.flights.find(p.PacketID)
	if f == nil || f.qos != 2 {
		c.put(&mqtt.Pubrel{PacketID: p.PacketID, Code: mqtt.PacketIdentifierNotFound})
		c.schedule(&c.router)
		c.mu.Unlock()
		return
	}
	q := c.sess.queue
	switch {
	case p.Code.Failed():
		c.done(f)
	case f.state == receiving: // its PUBREL is on its way
	case f.state == released || q == nil:
		f.state = released
		c.put(&mqtt.Pubrel{PacketID: p.PacketID})
		c.schedule(&c.router)
	default:
		f.state = receiving
		seq := f.seq
		c.mu.Unlock()
		q.Received(seq, func(err error) { c.onReceived(seq, err) })
		return
	}
	c.mu.Unlock()
}

func (c *conn) onReceived(seq uint64, err error) {
	if err != nil {
		c.kick(violation(refusal(err), "a PUBREC could not be kept: %v", err))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights.find(packetID(seq)); f != nil && f.seq == seq {
		f.state = released
		c.put(&mqtt.Pubrel{PacketID: packetID(seq)})
		c.kickWriter()
	}
}

func (c *conn) onPubcomp(p *mqtt.Pubcomp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights.find(p.PacketID); f != nil && f.qos == 2 {
		c.done(f)
	}
}
