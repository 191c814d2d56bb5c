package topic

import "strings"

// node is one level of a Trie or of Names. It holds a value, or has children, or both; only a root may have neither.
type node[T any] struct {
	kids  *children[T] // nil: none
	value *T           // nil: no name or filter ends here
}

// find returns the node at path; nil: there is none.
func (n *node[T]) find(path string) *node[T] {
	for more := true; more && n != nil; {
		var level string
		level, path, more = strings.Cut(path, "/")
		n = n.kids.get(level)
	}
	return n
}

// grow returns the node at path and makes what is missing on the way.
func (n *node[T]) grow(path string) *node[T] {
	for more := true; more; {
		var level string
		level, path, more = strings.Cut(path, "/")
		kid := n.kids.get(level)
		if kid == nil {
			kid = new(node[T])
			if n.kids == nil {
				n.kids = new(children[T])
			}
			n.kids.put(strings.Clone(level), kid)
		}
		n = kid
	}
	return n
}

// prune takes the value at path away, and with it every node that was there for its sake alone. There is such a value.
func (n *node[T]) prune(path string) {
	// Everything below the edge cutLabel of the node cut serves this path alone.
	cut, cutLabel := n, ""
	for first, more := true, true; more; first = false {
		var level string
		level, path, more = strings.Cut(path, "/")
		if first || n.value != nil || n.kids.len() > 1 {
			cut, cutLabel = n, level
		}
		n = n.kids.get(level)
	}
	n.value = nil
	if n.kids != nil {
		return // it is on the way to others
	}
	cut.kids.remove(cutLabel)
	if cut.kids.len() == 0 {
		cut.kids = nil
	}
}
