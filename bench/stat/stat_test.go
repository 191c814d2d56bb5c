package stat

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 100}, 3.5},
	} {
		before := slices.Clone(c.in)
		if got := Median(c.in); got != c.want {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
		if !slices.Equal(before, c.in) {
			t.Errorf("%v was changed to %v", before, c.in)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v, want NaN", got)
	}
}

func TestPercentile(t *testing.T) {
	var thousand []int64
	for i := range int64(1000) {
		thousand = append(thousand, i+1)
	}
	for p, want := range map[float64]float64{0: 1, 50: 500, 99: 990, 99.9: 999, 99.95: 1000, 100: 1000} {
		if got := Percentile(thousand, p); got != want {
			t.Errorf("p%v of 1..1000: %v, want %v", p, got, want)
		}
	}
	if got := Percentile([]int64{7}, 50); got != 7 {
		t.Errorf("of one value: %v, want it", got)
	}
	if got := Percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("of nothing: %v, want NaN", got)
	}
}
