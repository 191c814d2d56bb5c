package buffer

import "sort"

// span is the half-open interval [from, to) of sequence numbers.
type span struct{ from, to uint64 }

// ranges is a set of sequence numbers as sorted, disjoint, non-adjacent spans. Acknowledgements come almost in order, so
// a few spans describe thousands of numbers.
type ranges []span

// at gives the index of the first span that ends behind x.
func (r ranges) at(x uint64) int {
	return sort.Search(len(r), func(i int) bool { return r[i].to > x })
}

func (r ranges) contains(x uint64) bool {
	i := r.at(x)
	return i < len(r) && r[i].from <= x
}

// skip gives the first number from x on that is not in the set.
func (r ranges) skip(x uint64) uint64 {
	if i := r.at(x); i < len(r) && r[i].from <= x {
		return r[i].to
	}
	return x
}

// count says how many numbers of [from, to) are in the set.
func (r ranges) count(from, to uint64) uint64 {
	var n uint64
	for i := r.at(from); i < len(r) && r[i].from < to; i++ {
		n += min(r[i].to, to) - max(r[i].from, from)
	}
	return n
}

// add puts [from, to) into the set.
func (r *ranges) add(from, to uint64) {
	if from >= to {
		return
	}
	s := *r
	i := sort.Search(len(s), func(i int) bool { return s[i].to >= from })
	j := i
	for ; j < len(s) && s[j].from <= to; j++ {
		from, to = min(from, s[j].from), max(to, s[j].to)
	}
	if i == j {
		s = append(s, span{})
		copy(s[i+1:], s[i:])
		s[i] = span{from, to}
	} else {
		s[i] = span{from, to}
		s = append(s[:i+1], s[j:]...)
	}
	*r = s
}

// trim takes out everything below x.
func (r *ranges) trim(x uint64) {
	s := *r
	i := s.at(x)
	s = append(s[:0], s[i:]...)
	if len(s) > 0 && s[0].from < x {
		s[0].from = x
	}
	*r = s
}
