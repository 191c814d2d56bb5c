package devices

import (
	"errors"
	"math"
	"time"

	"github.com/edged/edged"
)

// Report says which readings of a point are worth publishing (report by exception). The zero Report: all of them. A
// driver's points embed it with `yaml:",inline"` and hand it on in Point.
type Report struct {
	// Deadband is how far a number must move from the one that was published last, to be published; other values must
	// change.
	Deadband float64 `yaml:"deadband"`
	// AtLeastEvery publishes the next reading after this time, though it has not moved; 0 with a deadband: never.
	// Alone, it publishes changes of any size.
	AtLeastEvery time.Duration `yaml:"at_least_every"`
}

// Check checks a point's Report; key is the prefix of its keys.
func (r Report) Check(key string) error {
	var deadband, every error
	if !(r.Deadband >= 0) || math.IsInf(r.Deadband, 0) {
		deadband = edged.BadKey(key+"deadband", "%v is no distance; use 0 or a positive number", r.Deadband)
	}
	if r.AtLeastEvery < 0 {
		every = edged.BadKey(key+"at_least_every", "%s is negative", r.AtLeastEvery)
	}
	return errors.Join(deadband, every)
}

// silent says whether a reading tells nothing new: v, age after was was published.
func (r Report) silent(was, v any, age time.Duration) bool {
	if r == (Report{}) || r.AtLeastEvery > 0 && (age < 0 || age >= r.AtLeastEvery) {
		return false
	}
	before, isNumber := float(was)
	now, alsoNumber := float(v)
	if isNumber && alsoNumber && r.Deadband > 0 {
		return math.Abs(now-before) < r.Deadband
	}
	return was == v
}

// float makes a float64 of the numbers that a reading can have.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
