package access

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxBuckets bounds a limiter's memory, to about 1 MB.
	maxBuckets = 10_000
	// maxSeen is how many buckets are looked at to find one to forget.
	maxSeen = 8
)

// bucket is what a failure is charged to: an address, or one user or token from that address.
type bucket struct {
	from  netip.Prefix
	login uint64 // a hash of the user name or token
}

// limiter lets so many failures of a bucket pass at once, then one every so often. It holds the time at which a bucket
// will have leaked empty; one that is not there is empty. (The generic cell rate algorithm, ITU-T I.371.)
type limiter struct {
	atOnce int
	every  time.Duration

	mu    sync.Mutex
	empty map[bucket]time.Time
}

func newLimiter(atOnce int, every time.Duration) *limiter {
	return &limiter{atOnce: atOnce, every: every, empty: map[bucket]time.Time{}}
}

// take charges one to b, or says until when it is full.
func (l *limiter) take(b bucket) (full bool, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if full, until = l.look(b, now); full {
		return full, until
	}
	empty, found := l.empty[b]
	if !found {
		l.makeRoom(now)
	}
	if empty.Before(now) {
		empty = now
	}
	l.empty[b] = empty.Add(l.every)
	return false, time.Time{}
}

// isFull says whether b takes no more, and until when.
func (l *limiter) isFull(b bucket) (full bool, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.look(b, time.Now())
}

// giveBack undoes a take.
func (l *limiter) giveBack(b bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if empty, found := l.empty[b]; found {
		l.empty[b] = empty.Add(-l.every)
	}
}

func (l *limiter) look(b bucket, now time.Time) (full bool, until time.Time) {
	until = l.empty[b].Add(-time.Duration(l.atOnce-1) * l.every)
	return until.After(now), until
}

// makeRoom sees to it that one more bucket fits: of some, seen at random, it forgets the emptiest. A full one is the last
// to go, so that a flood of new names does not wash away what is held against an old one.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.empty) < maxBuckets {
		return
	}
	var first bucket
	var soonest time.Time
	seen := 0
	for b, empty := range l.empty {
		if soonest.IsZero() || empty.Before(soonest) {
			first, soonest = b, empty
		}
		if seen++; seen == maxSeen || !empty.After(now) {
			break
		}
	}
	delete(l.empty, first)
}

// source is whom failures from a are charged to: an IPv4 address, the /64 of an IPv6 address, which is one customer's or
// one network's; for all without an address (Unix sockets) the zero value.
func source(a net.Addr) netip.Prefix {
	if a == nil {
		return netip.Prefix{}
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
