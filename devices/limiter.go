package devices

import (
	"sync"
	"time"
)

// limiter lets a log line through at most once an interval, and counts the others.
type limiter struct {
	mu   sync.Mutex
	last time.Time
	held uint64
}

// logEvery is the interval of lines that would repeat themselves.
const logEvery = time.Minute

// allow says whether to log now, and how many lines were held back since the last one.
func (l *limiter) allow() (held uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.last.IsZero() || now.Sub(l.last) >= logEvery {
		held, l.held, l.last = l.held, 0, now
		return held, true
	}
	l.held++
	return 0, false
}
