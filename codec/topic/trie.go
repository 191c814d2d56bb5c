package topic

import "strings"

// Trie holds values, such as subscriptions, under topic filters, and finds those whose filters match a name. The zero
// value is ready. Match may run concurrently with Match; everything else needs a lock of the owner's.
type Trie[V comparable] struct {
	root  node[set[V]]
	count int
}

// Add puts v under filter; false: it was there. filter is one that CheckFilter accepts, without its $share part. The
// values are compared, so V should be small: a pointer, a number.
func (t *Trie[V]) Add(filter string, v V) (added bool) {
	n := t.root.grow(filter)
	if n.value == nil {
		n.value = new(set[V])
	}
	if !n.value.add(v) {
		return false
	}
	t.count++
	return true
}

// Remove takes v away from under filter; false: it was not there. Room that is no longer needed is given back.
func (t *Trie[V]) Remove(filter string, v V) (removed bool) {
	n := t.root.find(filter)
	if n == nil || n.value == nil || !n.value.remove(v) {
		return false
	}
	t.count--
	if len(n.value.items) == 0 {
		t.root.prune(filter)
	}
	return true
}

// Len counts the values, each once for every filter it is under.
func (t *Trie[V]) Len() int { return t.count }

// Match appends to dst the values under all filters that match name, in no order, and returns the longer slice. A value
// that is under several of them appears once for each. Nothing is allocated while dst has room.
func (t *Trie[V]) Match(dst []V, name string) []V {
	w := walk[V]{found: dst}
	if hidden(name) { // wildcards in the first level pass it by
		level, rest, more := strings.Cut(name, "/")
		if n := t.root.kids.get(level); n != nil {
			w.visit(n, rest, more)
		}
		return w.found
	}
	w.visit(&t.root, name, true)
	return w.found
}

// walk is one look-up in a Trie.
type walk[V comparable] struct {
	found []V
	nodes int // visited so far: what the look-up costs
}

// visit takes the values at n and below that match rest, the levels of the name after n; more: there are any.
// It goes deeper into itself only where the way forks, so the stack is as deep as there are forks, not levels.
func (w *walk[V]) visit(n *node[set[V]], rest string, more bool) {
	for {
		w.nodes++
		if n.kids != nil && n.kids.hash != nil {
			w.take(n.kids.hash)
		}
		if !more {
			w.take(n)
			return
		}
		if n.kids == nil {
			return
		}
		var level string
		level, rest, more = strings.Cut(rest, "/")
		plus, exact := n.kids.plus, n.kids.get(level)
		switch {
		case exact == nil || exact == plus: // the latter: a name that should not have a +
			n = plus
		case plus == nil:
			n = exact
		default:
			w.visit(plus, rest, more)
			n = exact
		}
		if n == nil {
			return
		}
	}
}

func (w *walk[V]) take(n *node[set[V]]) {
	if n.value != nil {
		w.found = append(w.found, n.value.items...)
	}
}
