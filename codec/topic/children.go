package topic

// maxFew is how many children are looked through one by one; with more of them a map is faster.
const maxFew = 8

// children are a node's children by level. Most nodes have a handful, for which a slice is smaller and faster than a
// map; the wildcards have places of their own because every look-up in a Trie asks for them.
type children[T any] struct {
	plus, hash *node[T] // the levels "+" and "#"
	few        []edge[T]
	many       *index[T] // instead of few, once there are more than maxFew
}

type edge[T any] struct {
	label string
	to    *node[T]
}

type index[T any] struct {
	nodes map[string]*node[T]
	peak  int // the most it has held: a map keeps the room it once had
}

// get returns the child with that label, nil: none. c may be nil.
func (c *children[T]) get(label string) *node[T] {
	if c == nil {
		return nil
	}
	if len(label) == 1 {
		switch label[0] {
		case '+':
			return c.plus
		case '#':
			return c.hash
		}
	}
	if c.many != nil {
		return c.many.nodes[label]
	}
	for i := range c.few {
		if c.few[i].label == label {
			return c.few[i].to
		}
	}
	return nil
}

// put adds a child that is not there yet, and keeps label.
func (c *children[T]) put(label string, n *node[T]) {
	switch {
	case label == "+":
		c.plus = n
	case label == "#":
		c.hash = n
	case c.many != nil:
		c.many.nodes[label] = n
		c.many.peak = max(c.many.peak, len(c.many.nodes))
	case len(c.few) < maxFew:
		c.few = append(c.few, edge[T]{label, n})
	default:
		m := make(map[string]*node[T], 2*maxFew)
		for _, e := range c.few {
			m[e.label] = e.to
		}
		m[label] = n
		c.few, c.many = nil, &index[T]{nodes: m, peak: len(m)}
	}
}

// remove takes a child away and gives back room that has become far too large.
func (c *children[T]) remove(label string) {
	switch {
	case label == "+":
		c.plus = nil
	case label == "#":
		c.hash = nil
	case c.many != nil:
		delete(c.many.nodes, label)
		c.shrink()
	default:
		for i := range c.few {
			if c.few[i].label == label {
				last := len(c.few) - 1
				c.few[i], c.few[last] = c.few[last], edge[T]{}
				c.few = c.few[:last]
				return
			}
		}
	}
}

// shrink makes the map anew when it is a quarter full, and a slice of it when few are left.
func (c *children[T]) shrink() {
	left := len(c.many.nodes)
	switch {
	case left <= maxFew/2:
		c.few = make([]edge[T], 0, maxFew/2)
		for label, n := range c.many.nodes {
			c.few = append(c.few, edge[T]{label, n})
		}
		c.many = nil
	case left < c.many.peak/4:
		m := make(map[string]*node[T], left)
		for label, n := range c.many.nodes {
			m[label] = n
		}
		c.many = &index[T]{nodes: m, peak: left}
	}
}

// len counts the children. c may be nil.
func (c *children[T]) len() int {
	if c == nil {
		return 0
	}
	n := len(c.few)
	if c.many != nil {
		n = len(c.many.nodes)
	}
	if c.plus != nil {
		n++
	}
	if c.hash != nil {
		n++
	}
	return n
}

// each calls f for every child but the wildcards, in no order, until it returns false, and says whether it never did.
// c may be nil.
func (c *children[T]) each(f func(label string, n *node[T]) bool) bool {
	if c == nil {
		return true
	}
	for _, e := range c.few {
		if !f(e.label, e.to) {
			return false
		}
	}
	if c.many != nil {
		for label, n := range c.many.nodes {
			if !f(label, n) {
				return false
			}
		}
	}
	return true
}
