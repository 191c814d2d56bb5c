package broker

import "sync/atomic"

// Stats describe the broker at one moment. Counts begin with the process.
type Stats struct {
	// Connected is how many network clients are connected; Sessions how many sessions there are, connected or not.
	Connected, Sessions int
	// Expired counts sessions that ended because their client did not come back in time.
	Expired uint64
	// Subscriptions counts filters of all subscribers; Retained the retained messages, $SYS included.
	Subscriptions, Retained int
	// SharedSubscriptions counts those filters that begin with $share; RetainedBytes is what the retained messages are taken to need.
	SharedSubscriptions int
	RetainedBytes       int64
	// Waiting is how many bytes wait in memory for and from connected clients, as far as it is 64 KiB or more for a client.
	Waiting int64
	// Connections counts all connections accepted, Connects those whose CONNECT was, Refused those turned away: by policy, limits, or a bad CONNECT.
	Connections, Connects, Refused uint64
	// Received counts PUBLISH packets taken in from network clients, Published messages of in-process clients, Sent PUBLISH packets
	// put out to network clients.
	Received, Published, Sent uint64
	// PayloadReceived and PayloadSent count the bytes of their payloads.
	PayloadReceived, PayloadSent uint64
	// PacketsReceived and PacketsSent count control packets of all types.
	PacketsReceived, PacketsSent uint64
	// BytesReceived and BytesSent count bytes of network connections.
	BytesReceived, BytesSent uint64
	// Dropped counts messages that were not delivered to a subscriber who wanted them: QoS 0 to a client or a handler that does
	// not read, expired ones, ones too large for the client.
	Dropped uint64
	// Overflows counts clients disconnected because they did not read their QoS 1 and 2 messages.
	Overflows uint64
	// Denied counts publishes that were refused by access rules or by limits of the store.
	Denied uint64
	// NotRetained counts messages that were delivered but not retained, because of the limits.
	NotRetained uint64
	// Throttled counts how often a client that published faster than its limit was made to wait.
	Throttled uint64
	// Panics counts bugs: connections ended by a panic.
	Panics uint64
}

type counters struct {
	in, out traffic

	connections, connects, refused, expired, published, bytesIn, bytesOut, dropped, overflows, denied, panics, throttled atomic.Uint64
}

// Stats returns the broker's counters.
func (b *Broker) Stats() Stats {
	c := &b.stats
	s := Stats{
		Connections: c.connections.Load(), Connects: c.connects.Load(), Refused: c.refused.Load(), Expired: c.expired.Load(),
		Received: c.in.messages.Load(), PayloadReceived: c.in.payload.Load(), PacketsReceived: c.in.packets.Load(),
		Sent: c.out.messages.Load(), PayloadSent: c.out.payload.Load(), PacketsSent: c.out.packets.Load(),
		Published: c.published.Load(), Waiting: b.memory.Load(), BytesReceived: c.bytesIn.Load(), BytesSent: c.bytesOut.Load(), Dropped: c.dropped.Load(),
		Overflows: c.overflows.Load(), Denied: c.denied.Load(), Panics: c.panics.Load(), Throttled: c.throttled.Load(),
	}
	b.mu.Lock()
	s.Sessions = len(b.sessions)
	for _, sess := range b.sessions {
		if sess.conn.Load() != nil {
			s.Connected++
		}
	}
	b.mu.Unlock()
	b.routes.RLock()
	s.Subscriptions = b.routes.trie.Len()
	for _, g := range b.routes.shares {
		s.SharedSubscriptions += len(g.members)
		s.Subscriptions += len(g.members) - 1 // the trie holds them as one
	}
	b.routes.RUnlock()
	s.Retained, s.RetainedBytes, s.NotRetained = b.retained.count()
	return s
}

// tally is what one goroutine has counted and not told the broker yet: many messages, one write to shared memory.
type tally struct {
	packets, messages uint32
	payload           uint64
}

// traffic is that of all clients.
type traffic struct {
	packets, messages, payload atomic.Uint64
}

func (t *tally) post(to *traffic) {
	if t.packets == 0 {
		return
	}
	to.packets.Add(uint64(t.packets))
	if t.messages > 0 {
		to.messages.Add(uint64(t.messages))
		to.payload.Add(t.payload)
	}
	*t = tally{}
}
