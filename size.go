package edged

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written in a configuration as "64MiB", "1.5GB", "512" or "512B".
type Size int64

// sizeUnits are tried in order, so that "MiB" is seen before "B".
var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1}, {"", 1},
}

// UnmarshalText reads a size; the error says what is expected.
func (s *Size) UnmarshalText(text []byte) error {
	in := strings.TrimSpace(string(text))
	for _, u := range sizeUnits {
		num, found := strings.CutSuffix(in, u.suffix)
		if !found {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || math.IsNaN(f) || f < 0 || f*u.bytes >= math.MaxInt64 {
			break
		}
		*s = Size(f * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is not a size; write a number of bytes such as 512KiB, 64MiB or 1GiB", in)
}

// String writes the size with the largest binary unit that divides it: "64MiB".
func (s Size) String() string {
	for i := 3; i >= 0; i-- {
		if u := int64(1) << (10 * (i + 1)); s != 0 && int64(s)%u == 0 {
			return strconv.FormatInt(int64(s)/u, 10) + sizeUnits[i].suffix
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText writes what UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
