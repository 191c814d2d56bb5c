package broker

import (
	"strings"

	"github.com/edged/edged/codec/mqtt"
)

const (
	// shortestAliased topics are the first that an alias makes shorter: it takes three bytes, rarely four.
	shortestAliased = 5
	// longestAliased topics are the last: their names are held for as long as the connection.
	longestAliased = 1024
)

// aliasTable holds the topic aliases that a version 5 client was given. When it is full, an alias that was not used since it was
// last looked at gets the new topic.
type aliasTable struct {
	most    int // the client's topic alias maximum, or maxAliases
	byTopic map[string]uint16
	slots   []aliasSlot // of alias 1, 2, …
	hand    int
}

type aliasSlot struct {
	topic string
	used  bool
}

// find returns the alias for a topic; fresh: the client has to be told what it stands for; 0: none.
func (t *aliasTable) find(topic []byte) (alias uint16, fresh bool) {
	if a := t.byTopic[string(topic)]; a != 0 {
		t.slots[a-1].used = true
		return a, false
	}
	if len(topic) < shortestAliased || len(topic) > longestAliased {
		return 0, false
	}
	if len(t.slots) < t.most {
		t.slots = append(t.slots, aliasSlot{})
		return uint16(len(t.slots)), true
	}
	t.hand = (t.hand + 1) % len(t.slots)
	if s := &t.slots[t.hand]; s.used {
		s.used = false
		return 0, false
	}
	return uint16(t.hand + 1), true
}

// tell notes that the client is told what a fresh alias stands for.
func (t *aliasTable) tell(alias uint16, topic []byte) {
	if t.byTopic == nil {
		t.byTopic = map[string]uint16{}
	}
	s := &t.slots[alias-1]
	delete(t.byTopic, s.topic)
	s.topic, s.used = strings.Clone(string(topic)), false
	t.byTopic[s.topic] = alias
}

// putAliased sends a message to a client who takes topic aliases. c.mu is held.
func (c *conn) putAliased(e mqtt.Encoded, size int, dup bool, qos byte, retain bool, id uint16) {
	alias, fresh := c.toClient.find(e.Topic())
	if alias != 0 {
		n := e.SizeAliased(qos, fresh)
		if !fresh || c.maxPacket == 0 || n <= int(c.maxPacket) {
			if fresh {
				c.toClient.tell(alias, e.Topic())
			}
			c.out.grew(e.AppendAliased(c.out.room(n), dup, qos, retain, id, alias, fresh), n)
			return
		}
	}
	c.out.grew(e.Append(c.out.room(size), dup, qos, retain, id), size)
}
