package demo

import (
	"strings"
	"sync"
)

// Tally is the account of a demo. It compares what a client at the edge's broker saw with what a client at the cloud's broker saw.
type Tally struct {
	// Sent is how many different readings the edge published, Received how many of them the cloud has.
	Sent, Received int
	// Lost readings never arrived.
	Lost int
	// Duplicated counts arrivals beyond the first: at QoS 1 what was on its way when the line was cut is sent again.
	Duplicated int
}

// counter counts readings on both sides. A reading is known by its topic and payload, which holds its time and value.
type counter struct {
	mu       sync.Mutex
	sent     map[string]bool
	received map[string]int
	doubled  int
	frozen   bool
}

func newCounter() *counter {
	return &counter{sent: make(map[string]bool), received: make(map[string]int)}
}

// reading names a reading; other records, such as a device's status, are not counted.
func reading(topic string, payload []byte) (string, bool) {
	return topic + " " + string(payload), !strings.HasSuffix(topic, "/status")
}

func (c *counter) atEdge(topic string, payload []byte) {
	if key, ok := reading(topic, payload); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.frozen {
			c.sent[key] = true
		}
	}
}

func (c *counter) atCloud(topic string, payload []byte) {
	if key, ok := reading(strings.TrimPrefix(topic, site), payload); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.received[key]++
		if c.received[key] > 1 {
			c.doubled++
		}
	}
}

func (c *counter) tally() Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := Tally{Sent: len(c.sent), Duplicated: c.doubled}
	for key := range c.sent {
		if c.received[key] == 0 {
			t.Lost++
		}
	}
	t.Received = t.Sent - t.Lost
	return t
}

// freeze ends the counting at the edge: what is published from here on is not looked for.
func (c *counter) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
}
