package configs

// merge lays later over earlier: groups of keys merge, lists append, anything else replaces. Neither is changed, since
// aliases may share them.
func merge(earlier, later *node) *node {
	if earlier == nil || earlier.kind == null || later.kind != earlier.kind && later.kind != null {
		return later
	}
	out := *earlier
	switch later.kind {
	case null:
	case scalar:
		return later
	case list:
		out.items = append(append([]*node(nil), earlier.items...), later.items...)
	case mapping:
		out.entries = append([]entry(nil), earlier.entries...)
		for _, e := range later.entries {
			i := out.index(e.key)
			if i < 0 {
				out.entries = append(out.entries, e)
				continue
			}
			e.value = merge(out.entries[i].value, e.value)
			out.entries[i] = e
		}
	}
	return &out
}

func (n *node) index(key string) int {
	for i := range n.entries {
		if n.entries[i].key == key {
			return i
		}
	}
	return -1
}
