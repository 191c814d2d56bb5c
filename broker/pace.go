package broker

import "time"

// pace holds a client to broker.limits.publish_messages and publish_bytes. Both have a balance that a second fills: a
// client may publish that much at once, or a single larger packet; then its reader waits until it has paid.
type pace struct {
	messages, bytes           float64 // left; below 0: owed
	messagesPerSec, bytesPerS float64 // 0: no bound
	at                        time.Time
}

func newPace(l *Limits) *pace {
	if l.PublishMessages == 0 && l.PublishBytes == 0 {
		return nil
	}
	p := &pace{messagesPerSec: float64(l.PublishMessages), bytesPerS: float64(l.PublishBytes), at: time.Now()}
	p.messages, p.bytes = p.messagesPerSec, p.bytesPerS
	return p
}

// take pays for one packet and says how long to wait until it is paid.
func (p *pace) take(size int, now time.Time) time.Duration {
	passed := now.Sub(p.at).Seconds()
	p.at = now
	pay := func(left *float64, perSecond, price float64) (wait float64) {
		if perSecond == 0 {
			return 0
		}
		*left = min(*left+passed*perSecond, perSecond) - price
		return max(0, -*left/perSecond)
	}
	wait := max(pay(&p.messages, p.messagesPerSec, 1), pay(&p.bytes, p.bytesPerS, float64(size)))
	return time.Duration(wait * float64(time.Second))
}

// minPause is the shortest that is worth a timer; less stays owed.
const minPause = time.Millisecond

// throttle lets a client that publishes faster than it may wait for its turn. Meanwhile nothing is read from it, so TCP holds
// it back; what it sent before has been handed over.
func (c *conn) throttle(size int) error {
	wait := c.pace.take(size, time.Now())
	if wait < minPause {
		return nil
	}
	c.settle()
	c.b.stats.throttled.Add(1)
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-c.quit:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.kicked
	case <-t.C:
		c.router.now = time.Now() // the time it was not listened to counts for no keep alive interval
		return nil
	}
}
