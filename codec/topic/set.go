package topic

import "slices"

// maxScan is how many values are compared one by one; with more of them an index is faster.
const maxScan = 16

// set holds the values under one filter: as a slice, because that is what a look-up wants, and with an index once a
// thousand clients may have subscribed to the same filter.
type set[V comparable] struct {
	items []V
	at    map[V]int // where each item is; nil: up to maxScan items
}

func (s *set[V]) find(v V) int {
	if s.at == nil {
		return slices.Index(s.items, v)
	}
	if i, found := s.at[v]; found {
		return i
	}
	return -1
}

func (s *set[V]) add(v V) bool {
	if s.find(v) >= 0 {
		return false
	}
	s.items = append(s.items, v)
	if s.at != nil {
		s.at[v] = len(s.items) - 1
	} else if len(s.items) > maxScan {
		s.reindex()
	}
	return true
}

// remove puts the last item where v was: values under one filter have no order.
func (s *set[V]) remove(v V) bool {
	i := s.find(v)
	if i < 0 {
		return false
	}
	last := len(s.items) - 1
	moved := s.items[last]
	s.items[i] = moved
	clear(s.items[last:])
	s.items = s.items[:last]
	if s.at != nil {
		s.at[moved] = i
		delete(s.at, v)
	}
	if cap(s.items) > maxScan && last < cap(s.items)/4 {
		s.items = slices.Clone(s.items)
		s.reindex()
	}
	return true
}

// reindex makes the index anew, or does without.
func (s *set[V]) reindex() {
	s.at = nil
	if len(s.items) <= maxScan {
		return
	}
	s.at = make(map[V]int, len(s.items))
	for i, v := range s.items {
		s.at[v] = i
	}
}
