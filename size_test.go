package edged

import "testing"

func TestSizeReadsWhatItWrites(t *testing.T) {
	for in, want := range map[string]Size{
		"0": 0, "512": 512, "512B": 512, "1KiB": 1024, "1.5KiB": 1536, "64MiB": 64 << 20, " 1 GiB ": 1 << 30, "2TiB": 2 << 40, "10kB": 10_000, "3MB": 3_000_000,
	} {
		var got Size
		if err := got.UnmarshalText([]byte(in)); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", in, got, err, want)
		}
		var again Size
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%q: written as %q, read again as %d, %v", in, got, again, err)
		}
	}
}

func TestSizeRefuses(t *testing.T) {
	for _, in := range []string{"", "MiB", "-1", "1XB", "NaN", "1e40", "9223372036854775808", "1 2", "0x10KiB "} {
		var s Size
		if err := s.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q: read as %d, want an error", in, s)
		}
	}
}
