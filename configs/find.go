package configs

import (
	"strconv"
	"strings"
)

// find walks a path such as "devices[2].points[0].type" as far as it goes, and returns the last node on it; nil only
// below nil.
func (n *node) find(path string) *node {
	for n != nil && path != "" {
		next, rest := n.step(path)
		if next == nil {
			return n
		}
		n, path = next, rest
	}
	return n
}

// lookup is find for a path that must exist as a whole.
func (n *node) lookup(path string) *node {
	for n != nil && path != "" {
		n, path = n.step(path)
	}
	return n
}

// step takes the first key or index off a path. A key may itself hold dots: the longest that fits is taken.
func (n *node) step(path string) (next *node, rest string) {
	if strings.HasPrefix(path, "[") {
		number, after, _ := strings.Cut(path[1:], "]")
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= len(n.items) {
			return nil, ""
		}
		return n.items[i], strings.TrimPrefix(after, ".")
	}
	best := -1
	for i := range n.entries {
		key := n.entries[i].key
		after, ok := strings.CutPrefix(path, key)
		if ok && (after == "" || after[0] == '.' || after[0] == '[') && (best < 0 || len(key) > len(n.entries[best].key)) {
			best = i
		}
	}
	if best < 0 {
		return nil, ""
	}
	return n.entries[best].value, strings.TrimPrefix(path[len(n.entries[best].key):], ".")
}
