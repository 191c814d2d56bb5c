package devices

import (
	"strings"

	"github.com/edged/edged"
)

// BadChoice makes the error for a key whose value is none of choices; what names them: "type", "driver". It asks "did
// you mean" when one of them is near.
func BadChoice(key, what, got string, choices ...string) error {
	list := strings.Join(choices, ", ")
	if got == "" {
		return edged.BadKey(key, "missing; use one of %s", list)
	}
	best, bestDistance := "", len(got)/2+1
	for _, c := range choices {
		if d := distance(strings.ToLower(got), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best != "" {
		return edged.BadKey(key, "%q is not a %s; did you mean %q? Known are %s", got, what, best, list)
	}
	return edged.BadKey(key, "%q is not a %s; use one of %s", got, what, list)
}

// distance is the number of bytes to insert, delete, replace or swap with their neighbour to make b of a.
func distance(a, b string) int {
	before, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
