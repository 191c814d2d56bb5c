package broker

import "sync/atomic"

// Stats describe the broker at one moment. Counts begin with the process.
type Stats struct {
	// Connected is how many network clients are connected; Sessions how many sessions there are, connected or not.
	Connected, Sessions int
	// Subscriptions counts filters of all subscribers; Retained the retained messages, $SYS included.
	Subscriptions, Retained int
	// Connections counts all connections accepted, Refused those turned away: by policy, limits, or a bad CONNECT.
	Connections, Refused uint64
	// Received counts PUBLISH packets taken in from network clients, Published messages of in-process clients, Sent PUBLISH packets
	// put out to network clients.
	Received, Published, Sent uint64
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
	connections, refused, received, published, sent, bytesIn, bytesOut, dropped, overflows, denied, panics, throttled atomic.Uint64
}

// Stats returns the broker's counters.
func (b *Broker) Stats() Stats {
	c := &b.stats
	s := Stats{
		Connections: c.connections.Load(), Refused: c.refused.Load(), Received: c.received.Load(), Published: c.published.Load(),
		Sent: c.sent.Load(), BytesReceived: c.bytesIn.Load(), BytesSent: c.bytesOut.Load(), Dropped: c.dropped.Load(),
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
	b.routes.RUnlock()
	s.Retained, s.NotRetained = b.retained.count()
	return s
}
