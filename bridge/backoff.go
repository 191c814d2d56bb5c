package bridge

import (
	"math/rand/v2"
	"time"
)

// The pauses between attempts to connect. They double from firstPause on, up to a longest one, which is higher where
// the server refused the credentials: trying often could lock the account. A connection that lasts stable begins anew.
const (
	firstPause         = time.Second
	longestPause       = time.Minute
	longestWhenRefused = 5 * time.Minute
	stable             = time.Minute
)

// backoff tells how long to pause after the n-th failure in a row.
type backoff struct{ failures int }

func (b *backoff) reset() { b.failures = 0 }

// next is the pause after one more failure: a quarter more or less than the doubled one, so that many edges do not
// come back to a server at the same moment.
func (b *backoff) next(refused bool) time.Duration {
	longest := longestPause
	if refused {
		longest = longestWhenRefused
	}
	d := min(firstPause<<min(b.failures, 16), longest)
	b.failures++
	d += time.Duration((rand.Float64() - 0.5) / 2 * float64(d))
	return min(max(d, firstPause), longest)
}
