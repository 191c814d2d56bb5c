package buffer

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/edged/edged"
)

// Config is the section "buffer" of the configuration.
type Config struct {
	// Sync says when a commit is done: SyncAlways, or at most how long after it the flush to disk may come.
	Sync Sync `yaml:"sync"`
	// MaxBytes bounds what all queues hold together, in bytes as stored. The queues' own bounds come on top. A 32-bit
	// process maps all of it, so more than 256 MiB is cut down to that there.
	MaxBytes edged.Size `yaml:"max_bytes"`
	// MinFreeDisk is how much of the file system stays free: below it, messages are refused with edged.ErrDiskFull.
	// At least 16 MiB, since a file that Badger has mapped must never meet a full disk.
	MinFreeDisk edged.Size `yaml:"min_free_disk"`
}

// Sync is the longest time between a commit and its flush to disk. What is younger can be lost in a power cut, but not
// when only the process dies. It is written "always" or as a duration such as "100ms".
type Sync time.Duration

// SyncAlways flushes before a commit is done: what is acknowledged survives a power cut.
const SyncAlways Sync = 0

// UnmarshalText reads "always" or a duration.
func (s *Sync) UnmarshalText(text []byte) error {
	if string(text) == "always" {
		*s = SyncAlways
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is neither always nor a duration above zero such as 100ms", text)
	}
	*s = Sync(d)
	return nil
}

// String writes what UnmarshalText reads.
func (s Sync) String() string {
	if s == SyncAlways {
		return "always"
	}
	return time.Duration(s).String()
}

// MarshalText writes what UnmarshalText reads.
func (s Sync) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

const (
	maxBytes32  = 256 << 20
	minReserve  = 16 << 20
	maxInterval = Sync(time.Minute)
)

// DefaultConfig flushes always, bounds the queues to 1 GiB together (256 MiB in a 32-bit process) and leaves 64 MiB of
// the disk free.
func DefaultConfig() Config {
	c := Config{Sync: SyncAlways, MaxBytes: 1 << 30, MinFreeDisk: 64 << 20}
	c.MaxBytes = capped(c.MaxBytes)
	return c
}

// capped bounds max_bytes to what the process can map.
func capped(n edged.Size) edged.Size {
	if math.MaxInt == math.MaxInt32 {
		return min(n, maxBytes32)
	}
	return n
}

// Check says what is wrong with c.
func (c Config) Check() error {
	var errs []error
	if c.Sync < 0 || c.Sync > maxInterval {
		errs = append(errs, edged.BadKey("sync", "%v is out of range; use always, or a duration up to %v", c.Sync, maxInterval))
	}
	if c.MaxBytes < 1<<20 {
		errs = append(errs, edged.BadKey("max_bytes", "%v is too little to hold a backlog; use at least 1MiB", c.MaxBytes))
	}
	if c.MinFreeDisk < minReserve {
		errs = append(errs, edged.BadKey("min_free_disk", "%v is too little to survive a full disk; use at least 16MiB", c.MinFreeDisk))
	}
	return errors.Join(errs...)
}
