// Package stat holds the few statistics that the benchmarks print: medians of runs, and percentiles of latencies.
package stat

import (
	"math"
	"slices"
)

// Median returns the middle value, or the mean of the two middle ones; NaN of nothing. It does not change values.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	mid := len(s) / 2
	if len(s)%2 == 1 {
		return s[mid]
	}
	return (s[mid-1] + s[mid]) / 2
}

// Percentile returns the smallest value that at least p percent of sorted do not exceed (the nearest-rank method, which
// never invents a value); NaN of nothing.
func Percentile(sorted []int64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p/100*float64(len(sorted)) - 1e-6)) // 99.9 has no exact binary form
	return float64(sorted[min(max(rank, 1), len(sorted))-1])
}
