package topic

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// TestTrieModel compares the trie, after every change, with a list of filters that Match looks through.
func TestTrieModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var trie Trie[int]
		model := map[string][]int{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				filter, v := filters.Draw(t, "filter"), rapid.IntRange(0, 40).Draw(t, "v")
				isNew := !slices.Contains(model[filter], v)
				if trie.Add(filter, v) != isNew {
					t.Fatalf("Add(%q, %d) is not %v", filter, v, isNew)
				}
				if isNew {
					model[filter] = append(model[filter], v)
				}
			},
			"addMany": func(t *rapid.T) {
				filter := filters.Draw(t, "filter")
				for v := range rapid.IntRange(0, 40).Draw(t, "n") {
					if trie.Add(filter, v) {
						model[filter] = append(model[filter], v)
					}
				}
			},
			"remove": func(t *rapid.T) {
				filter, v := filters.Draw(t, "filter"), rapid.IntRange(0, 40).Draw(t, "v")
				removeBoth(t, &trie, model, filter, v)
			},
			"removeAll": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				all := make([]string, 0, len(model))
				for f := range model {
					all = append(all, f)
				}
				slices.Sort(all)
				filter := rapid.SampledFrom(all).Draw(t, "filter")
				for _, v := range slices.Clone(model[filter]) {
					removeBoth(t, &trie, model, filter, v)
				}
			},
			"": func(t *rapid.T) {
				name := names.Draw(t, "name")
				var want []int
				total := 0
				for filter, vs := range model {
					total += len(vs)
					if Match(filter, name) {
						want = append(want, vs...)
					}
				}
				got := trie.Match(nil, name)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("Match(%q): got %v, want %v", name, got, want)
				}
				if trie.Len() != total || size(t, &trie.root) != prefixes(model) {
					t.Fatalf("%d values, %d nodes; want %d, %d", trie.Len(), size(t, &trie.root), total, prefixes(model))
				}
			},
		})
	})
}

func removeBoth(t *rapid.T, trie *Trie[int], model map[string][]int, filter string, v int) {
	i := slices.Index(model[filter], v)
	if trie.Remove(filter, v) != (i >= 0) {
		t.Fatalf("Remove(%q, %d) is not %v", filter, v, i >= 0)
	}
	if i < 0 {
		return
	}
	if model[filter] = slices.Delete(model[filter], i, i+1); len(model[filter]) == 0 {
		delete(model, filter)
	}
}

// TestTrieFanOut goes through all sizes of a node and of a value set, up and down.
func TestTrieFanOut(t *testing.T) {
	const n = 3000
	var trie Trie[int]
	for i := range n {
		trie.Add(fmt.Sprintf("a/%d/b", i), i)
		trie.Add("a/+/b", i)
	}
	for i := range n {
		name := fmt.Sprintf("a/%d/b", i)
		if got := trie.Match(nil, name); len(got) != 1+n-i || !slices.Contains(got, i) {
			t.Fatalf("%s: got %d values, want %d", name, len(got), 1+n-i)
		}
		if !trie.Remove(name, i) || !trie.Remove("a/+/b", i) || trie.Remove(name, i) || trie.Remove("a/+/b", i) {
			t.Fatalf("%s: not removed once", name)
		}
	}
	if trie.root.kids != nil || trie.Len() != 0 {
		t.Errorf("%d values, %d nodes left", trie.Len(), size(t, &trie.root))
	}
}

// TestTrieShrinks holds that room is given back long before the last filter goes.
func TestTrieShrinks(t *testing.T) {
	const n = 20000
	var trie Trie[int]
	before := heap()
	for i := range n {
		trie.Add(fmt.Sprintf("a/%d", i), i)
		trie.Add("b", i)
	}
	full := heap() - before
	for i := range n - n/50 {
		trie.Remove(fmt.Sprintf("a/%d", i), i)
		trie.Remove("b", i)
	}
	left := heap() - before
	if left > full/8 {
		t.Errorf("%d bytes with all, %d with a fiftieth; want at most an eighth", full, left)
	}
	runtime.KeepAlive(&trie)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestTrieCopiesLabels: a filter may be a part of a network buffer, which is used again.
func TestTrieCopiesLabels(t *testing.T) {
	buf := []byte("a/b/c")
	filter := unsafe.String(&buf[0], len(buf))
	var trie Trie[int]
	var n Names[int]
	trie.Add(filter, 1)
	n.Set(filter, 1)
	copy(buf, "x/y/z")
	if got := trie.Match(nil, "a/b/c"); len(got) != 1 {
		t.Errorf("the trie shares the caller's bytes")
	}
	n.Match("#", func(name string, _ int) bool {
		if name != "a/b/c" {
			t.Errorf("the names share the caller's bytes: %q", name)
		}
		return true
	})
}

func TestTrieMatchDoesNotAllocate(t *testing.T) {
	var trie Trie[*int]
	for i := range 1000 {
		trie.Add(fmt.Sprintf("a/%d/+/c", i), new(int))
		trie.Add("a/+/b/#", new(int))
	}
	dst := make([]*int, 0, 2000)
	if n := testing.AllocsPerRun(100, func() { dst = trie.Match(dst[:0], "a/500/b/c") }); n != 0 || len(dst) != 1001 {
		t.Errorf("%v allocations, %d found; want 0 and 1001", n, len(dst))
	}
}

// TestTrieStepsAreBounded builds what should make a walk exponential, and counts the nodes it visits: at most those
// whose path matches a beginning of the name, each once.
func TestTrieStepsAreBounded(t *testing.T) {
	var forks, plusses, tails []string
	for i := range 1 << 10 { // every combination of a and + in ten levels, none of which matches in the end
		level := strings.Split("a/a/a/a/a/a/a/a/a/a", "/")
		for bit := range level {
			if i>>bit&1 == 1 {
				level[bit] = "+"
			}
		}
		forks = append(forks, strings.Join(level, "/")+"/x")
	}
	for i := range 500 {
		plusses = append(plusses, strings.Repeat("+/", i)+"+", strings.Repeat("a/", i)+"+/#")
		tails = append(tails, strings.Repeat("+/", i)+"#", strings.Repeat("a/+/", i)+"#")
	}
	for what, fs := range map[string][]string{"forks": forks, "plusses": plusses, "tails": tails} {
		var trie Trie[int]
		nodes := map[string]bool{"": true}
		for i, f := range fs {
			trie.Add(f, i)
			for p := f; ; p = p[:strings.LastIndexByte(p, '/')] {
				if nodes[p] = true; !strings.Contains(p, "/") {
					break
				}
			}
		}
		for _, name := range []string{"a", strings.Repeat("a/", 9) + "a/y", strings.Repeat("a/", 999) + "a", strings.Repeat("/", 65535), "+/+/+/+/+/+/+/+/+/+"} {
			w := walk[int]{}
			w.visit(&trie.root, name, true)
			if w.nodes > len(nodes) {
				t.Errorf("%s: %.20s: visited %d nodes of %d", what, name, w.nodes, len(nodes))
			}
		}
	}
}
