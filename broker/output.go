package broker

import (
	"github.com/edged/edged/codec/mqtt"
)

// output is what is to be sent. Whoever adds to it flushes soon: the publisher's goroutine after a batch of messages,
// without ever waiting for the socket; what the socket does not take at once is left to a writer goroutine, which exists
// only as long as there is something to write.
type output struct {
	chunks    [][]byte
	bytes     int   // waiting or being written
	messages  int   // PUBLISH packets among them since the output was last empty
	control   int   // bytes of other packets since the writer last took some
	counted   tally // since take
	scheduled bool  // somebody will flush
	writing   bool  // somebody writes, and looks again before it stops
	failed    bool
}

// maxControl bounds the acknowledgements and answers that wait for a client that does not read.
const maxControl = 1 << 20

// room returns the chunk that the next n bytes are appended to. c.mu is held; the longer slice goes to grew.
func (o *output) room(n int) []byte {
	if last := len(o.chunks) - 1; last >= 0 && cap(o.chunks[last])-len(o.chunks[last]) >= n {
		return o.chunks[last]
	}
	var chunk []byte
	switch {
	case len(o.chunks) == 0 && n <= smallBuffer:
		chunk = (*getBuffer(false))[:0]
	case n <= largeBuffer:
		chunk = (*getBuffer(true))[:0]
	default:
		chunk = make([]byte, 0, n)
	}
	o.chunks = append(o.chunks, chunk)
	return chunk
}

func (o *output) grew(chunk []byte, n int) {
	o.chunks[len(o.chunks)-1] = chunk
	o.bytes += n
}

// put adds a packet other than PUBLISH. c.mu is held, and somebody flushes afterwards.
func (c *conn) put(p mqtt.Packet) {
	var scratch [256]byte
	b, err := p.Append(scratch[:0], c.version)
	if err != nil {
		c.b.log.Error("a packet could not be encoded", "client", c.client.name, "packet", p.Type().String(), "error", err)
		c.kickLocked(errPanicked)
		return
	}
	if c.maxPacket > 0 && len(b) > int(c.maxPacket) {
		if trim(p) {
			c.put(p)
		}
		return // MQTT-3.1.2-24
	}
	if c.out.control += len(b); c.out.control > maxControl {
		c.kickLocked(errNotRead)
		return
	}
	c.out.counted.packets++
	chunk := c.out.room(len(b))
	c.out.grew(append(chunk, b...), len(b))
}

// schedule notes that r must flush c. c.mu is held.
func (c *conn) schedule(r *router) {
	if !c.out.scheduled && !c.out.writing {
		c.out.scheduled = true
		r.dirty = append(r.dirty, c)
	}
}

// take hands all waiting chunks to a writer. c.mu is held.
func (o *output) take(stats *counters) [][]byte {
	o.counted.post(&stats.out)
	chunks := o.chunks
	o.chunks, o.control = nil, 0
	return chunks
}

// wrote forgets chunks. c.mu is held.
func (o *output) wrote(n int) {
	if o.bytes -= n; o.bytes == 0 {
		o.messages = 0
	}
}

// flush writes without waiting. No lock is held.
func (c *conn) flush() {
	c.mu.Lock()
	c.out.scheduled = false
	if c.out.writing {
		c.mu.Unlock()
		return
	}
	c.out.writing = true
	for len(c.out.chunks) > 0 && !c.out.failed {
		if c.raw == nil {
			c.startWriter(nil)
			c.mu.Unlock()
			return
		}
		chunks := c.out.take(&c.b.stats)
		c.mu.Unlock()
		n, rest := c.tryWrite(chunks)
		c.mu.Lock()
		c.out.wrote(n)
		c.account()
		if len(rest) > 0 {
			c.startWriter(rest)
			c.mu.Unlock()
			return
		}
	}
	c.stopWriting()
	c.mu.Unlock()
}

// kickWriter makes a goroutine write what waits; for those who must not even make a system call. c.mu is held.
func (c *conn) kickWriter() {
	if !c.out.writing && len(c.out.chunks) > 0 {
		c.out.writing = true
		c.startWriter(nil)
	}
}

func (c *conn) startWriter(rest [][]byte) {
	if !c.spawn(func() { c.write(rest) }) {
		c.stopWriting()
	}
}

// stopWriting: c.mu is held.
func (c *conn) stopWriting() {
	c.out.writing = false
	if c.out.failed {
		c.out.chunks = nil
		c.out.bytes = 0
		c.account()
	}
	if c.pump.blocked {
		c.pump.blocked = false
		c.startPump()
	}
}

// tryWrite writes what the socket takes at once; rest is what it did not take.
func (c *conn) tryWrite(chunks [][]byte) (written int, rest [][]byte) {
	var fault error
	err := c.raw.Write(func(fd uintptr) bool {
		for len(chunks) > 0 {
			n, err := writeReady(fd, chunks[0])
			written += n
			if err != nil {
				fault = err
				return true
			}
			if n < len(chunks[0]) {
				chunks[0] = chunks[0][n:]
				return true // a sliced buffer does not go back to the pool
			}
			recycle(chunks[0])
			chunks = chunks[1:]
		}
		return true
	})
	c.b.stats.bytesOut.Add(uint64(written))
	if err == nil {
		err = fault
	}
	if err != nil {
		c.lost(err)
		return written, nil
	}
	return written, chunks
}

// write is the writer goroutine: it waits for the socket as long as it takes.
func (c *conn) write(chunks [][]byte) {
	for {
		for _, b := range chunks {
			n, err := c.nc.Write(b)
			c.b.stats.bytesOut.Add(uint64(n))
			c.mu.Lock()
			c.out.wrote(n)
			c.account()
			c.mu.Unlock()
			if err != nil {
				c.lost(err)
				break
			}
			recycle(b)
		}
		c.mu.Lock()
		if len(c.out.chunks) == 0 || c.out.failed {
			c.stopWriting()
			c.mu.Unlock()
			return
		}
		chunks = c.out.take(&c.b.stats)
		c.mu.Unlock()
	}
}

// lost notes that the peer cannot be written to; the reader will find out why.
func (c *conn) lost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.failed = true
	c.kickLocked(&ending{why: "connection lost: " + err.Error(), will: true, quiet: true, gone: true})
}

// drainOutput writes all that is left, as far as the deadline of the socket lets it.
func (c *conn) drainOutput() {
	c.mu.Lock()
	c.kickWriter()
	c.closed = true // nobody starts anything any more
	c.mu.Unlock()
	c.work.Wait()
}

func recycle(b []byte) {
	b = b[:0]
	putBuffer(&b)
}
