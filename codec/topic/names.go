package topic

import "strings"

// Names holds one value per topic name, such as its retained message, and finds those whose names match a filter. The
// zero value is ready. Get and Match may run concurrently with each other; everything else needs a lock of the owner's.
type Names[V any] struct {
	root  node[entry[V]]
	count int
}

type entry[V any] struct {
	name  string
	value V
}

// Set puts v under name, in the place of what is there. name is one that CheckName accepts.
func (n *Names[V]) Set(name string, v V) {
	at := n.root.grow(name)
	if at.value == nil {
		at.value = &entry[V]{name: strings.Clone(name)}
		n.count++
	}
	at.value.value = v
}

// Delete takes away what is under name; false: there was nothing. Room that is no longer needed is given back.
func (n *Names[V]) Delete(name string) bool {
	at := n.root.find(name)
	if at == nil || at.value == nil {
		return false
	}
	n.root.prune(name)
	n.count--
	return true
}

// Get returns what is under name; false: nothing.
func (n *Names[V]) Get(name string) (V, bool) {
	at := n.root.find(name)
	if at == nil || at.value == nil {
		var none V
		return none, false
	}
	return at.value.value, true
}

// Len counts the names.
func (n *Names[V]) Len() int { return n.count }

// Match calls f for every name that filter matches, in no order, until it returns false. filter is one that CheckFilter
// accepts, without its $share part. f must not call Set or Delete: it collects what it wants to change.
func (n *Names[V]) Match(filter string, f func(name string, v V) bool) {
	s := search[V]{f: f}
	s.visit(&n.root, filter, true, true)
}

// search is one look-up in Names.
type search[V any] struct {
	f     func(name string, v V) bool
	nodes int // visited so far: what the look-up costs
}

// visit hands over the names at and below n that match rest, the levels of the filter after n; more: there are any;
// first: the next one is the first. False: f has had enough.
func (s *search[V]) visit(n *node[entry[V]], rest string, more, first bool) bool {
	for {
		s.nodes++
		if !more {
			return s.take(n)
		}
		var level string
		level, rest, more = strings.Cut(rest, "/")
		switch {
		case level == "#" && !more:
			return s.below(n, first)
		case level == "+":
			return n.kids.each(func(label string, kid *node[entry[V]]) bool {
				return first && hidden(label) || s.visit(kid, rest, more, false)
			})
		}
		if n = n.kids.get(level); n == nil {
			return true
		}
		first = false
	}
}

// below hands over n and everything under it.
func (s *search[V]) below(n *node[entry[V]], first bool) bool {
	return s.take(n) && n.kids.each(func(label string, kid *node[entry[V]]) bool {
		if first && hidden(label) {
			return true
		}
		s.nodes++
		return s.below(kid, false)
	})
}

func (s *search[V]) take(n *node[entry[V]]) bool {
	return n.value == nil || s.f(n.value.name, n.value.value)
}
