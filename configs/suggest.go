package configs

import (
	"fmt"
	"sort"
	"strings"
)

// suggest ends a message about an unknown key: with the nearest known one, or with all of them.
func suggest(key string, known []string) string {
	best, bestDistance := "", len(key)/3+1
	for _, k := range known {
		if d := distance(strings.ToLower(key), k); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(known) == 0 {
		return ""
	}
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	return "; known are " + strings.Join(sorted, ", ")
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that make b of a (optimal string
// alignment). Long keys are cut: they have no near name anyway.
func distance(a, b string) int {
	const most = 40
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = prev, row, before
	}
	return rows[1][len(b)]
}
