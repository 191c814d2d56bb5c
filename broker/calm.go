package broker

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// calmAfter is how long a connection is silent until its goroutine is changed for another one. A goroutine's stack grows to 4 or
// 8 KB when a packet is handled and never shrinks back to the 2 KB that waiting needs; with ten thousand devices that say something
// once a minute that is most of the memory.
const calmAfter = 3 * time.Second

// errCalm ends a connection's goroutine, not the connection.
var errCalm = &ending{why: "calm"}

// calm gives back to the system what a burst leaves behind: the stacks and buffers of many connections that came together, the
// garbage of many retained messages. Go itself would keep it for minutes.
type calm struct {
	bytes atomic.Int64 // that bursts have left, roughly, since the last collection
	first chan struct{}
}

const (
	// calmMany is how much must have been left to be worth a collection.
	calmMany = 4 << 20
	// calmPause is how long nothing must have been added to it, and calmRest the least time from one collection to the next.
	calmPause = time.Second
	calmRest  = time.Minute
	// calmConn is what a connection's goroutine leaves when it is changed.
	calmConn = 8 << 10
)

// calmDown goes on in another goroutine.
func (c *conn) calmDown() {
	c.router.scratch = nil
	c.b.calm.left(calmConn)
	c.b.running.Add(1)
	go c.resume()
}

// left: about n bytes of garbage came into being.
func (c *calm) left(n int64) {
	if now := c.bytes.Add(n); now >= calmMany && now-n < calmMany {
		select {
		case c.first <- struct{}{}:
		default:
		}
	}
}

func (c *calm) watch(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-c.first:
		}
		for before := int64(0); before != c.bytes.Load(); {
			before = c.bytes.Load()
			if !pause(calmPause, stop) {
				return
			}
		}
		c.bytes.Store(0)
		debug.FreeOSMemory()
		if !pause(calmRest, stop) {
			return
		}
	}
}

// pause waits; false: stop came first.
func pause(d time.Duration, stop <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-stop:
		return false
	case <-t.C:
		return true
	}
}
