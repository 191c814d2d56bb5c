package broker

// memoryStep is how much more or less must wait for a client before the broker's account is moved: small amounts cost no
// shared counter, and nobody for whom so little waits is ever touched by broker.limits.memory_bytes.
const memoryStep = 64 << 10

// account moves the broker's account to what waits for c in memory now. c.mu is held.
func (c *conn) account() {
	waiting := int64(c.out.bytes) + c.waitSize
	if grown := waiting - c.accounted; grown >= memoryStep || grown <= -memoryStep || waiting == 0 && grown < 0 {
		c.b.memory.Add(grown)
		c.accounted = waiting
	}
}

// crowded says that c must give way: all clients together hold too much memory, and c is one that does. c.mu is held.
func (c *conn) crowded() bool {
	return c.accounted > 0 && c.b.memory.Load() > int64(c.b.cfg.Limits.MemoryBytes)
}

// maxAhead is how many bytes of one client's messages may wait for the disk; then its reader stops.
const maxAhead = 4 << 20

// behind says that the store must catch up before c's next message is read. c.mu is held.
func (c *conn) behind() bool {
	a := &c.acks
	return len(a.entries) >= ackWindow || a.retrying || a.bytes > maxAhead ||
		a.bytes > memoryStep && c.b.memory.Load() > int64(c.b.cfg.Limits.MemoryBytes)
}

// ahead counts n more bytes, or fewer, of c's messages that wait for the disk. c.mu is held.
func (c *conn) ahead(n int64) {
	if n != 0 && !c.acks.left {
		c.acks.bytes += n
		c.b.memory.Add(n)
	}
}

// settleAccount gives back all that c had; what the store still answers counts no more.
func (c *conn) settleAccount() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.b.memory.Add(-c.accounted - c.acks.bytes)
	c.accounted, c.acks.bytes, c.acks.left = 0, 0, true
	c.out.chunks, c.waiting = nil, nil
}
