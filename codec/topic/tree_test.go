package topic

import (
	"strings"
	"testing"
)

// size counts the nodes below n and fails on those that nobody needs.
func size[T any](t interface{ Fatalf(string, ...any) }, n *node[T]) int {
	if n.kids == nil {
		return 0
	}
	if n.kids.len() == 0 {
		t.Fatalf("a node has an empty list of children")
	}
	total := 0
	count := func(_ string, kid *node[T]) bool {
		if kid.value == nil && kid.kids == nil {
			t.Fatalf("an empty node was left")
		}
		total += 1 + size(t, kid)
		return true
	}
	n.kids.each(count)
	for _, kid := range []*node[T]{n.kids.plus, n.kids.hash} {
		if kid != nil {
			count("", kid)
		}
	}
	return total
}

// prefixes counts the nodes that a tree of these paths must have.
func prefixes[V any](paths map[string]V) int {
	seen := map[string]bool{}
	for p := range paths {
		for i := range p {
			if p[i] == '/' {
				seen[p[:i]] = true
			}
		}
		seen[p] = true
	}
	return len(seen)
}

func TestDeepPaths(t *testing.T) {
	for _, filter := range []string{strings.Repeat("/", 65535), strings.Repeat("+/", 32767) + "#", strings.Repeat("a/", 32767) + "+"} {
		var trie Trie[int]
		trie.Add("a/b", 1)
		trie.Add(filter, 2)
		trie.Add(filter[:len(filter)/2]+"x", 3)
		name := strings.NewReplacer("+", "a", "#", "a").Replace(filter)
		if got := trie.Match(nil, name); len(got) != 1 || got[0] != 2 {
			t.Errorf("%.10q: got %v", filter, got)
		}
		if !trie.Remove(filter, 2) || !trie.Remove(filter[:len(filter)/2]+"x", 3) || size(t, &trie.root) != 2 {
			t.Errorf("%.10q: %d nodes left, want 2", filter, size(t, &trie.root))
		}

		var n Names[int]
		n.Set(name, 1)
		n.Set("a", 2)
		got := 0
		n.Match("#", func(string, int) bool { got++; return true })
		n.Match(filter, func(string, int) bool { got++; return true })
		if got != 3 || !n.Delete(name) || size(t, &n.root) != 1 {
			t.Errorf("%.10q: found %d, want 3; %d nodes left", filter, got, size(t, &n.root))
		}
	}
}
