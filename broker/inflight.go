package broker

import "sort"

// idSpace is how many packet identifiers messages use: the one with sequence number n has 1 + n mod 60,000, so that no
// restart gives a message another. 60,001 to 65,535 are never used.
const idSpace = 60_000

func packetID(seq uint64) uint16 { return uint16(1 + seq%idSpace) }

type flightState uint8

const (
	sent      flightState = iota // PUBLISH is out
	receiving                    // PUBREC came, and is being committed
	released                     // PUBREL is out
	completed
)

// inflight are the QoS 1 and 2 messages a client has not completed yet, by sequence number.
type inflight struct {
	items []flight // ascending; the head is not completed
	open  int      // how many are not completed
}

type flight struct {
	seq   uint64
	qos   byte
	state flightState
	lent  *lent // a shared subscription's; nil otherwise
}

// fits says whether seq's packet identifier is free.
func (f *inflight) fits(seq uint64) bool {
	return len(f.items) == 0 || seq-f.items[0].seq < idSpace
}

func (f *inflight) add(x flight) {
	f.items = append(f.items, x)
	f.open++
}

// find returns the message with that packet identifier, nil: none is in flight.
func (f *inflight) find(id uint16) *flight {
	if len(f.items) == 0 || id == 0 || id > idSpace {
		return nil
	}
	head := f.items[0].seq
	seq := head + (uint64(id)-1+idSpace-head%idSpace)%idSpace
	i := sort.Search(len(f.items), func(i int) bool { return f.items[i].seq >= seq })
	if i == len(f.items) || f.items[i].seq != seq || f.items[i].state == completed {
		return nil
	}
	return &f.items[i]
}

func (f *inflight) complete(x *flight) {
	x.state = completed
	f.open--
	n := 0
	for n < len(f.items) && f.items[n].state == completed {
		n++
	}
	if f.items = f.items[n:]; len(f.items) == 0 {
		f.items = nil // an idle connection holds no buffer
	}
}
