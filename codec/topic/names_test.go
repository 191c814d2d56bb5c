package topic

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNamesModel compares Names, after every change, with a map that Match looks through.
func TestNamesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n Names[int]
		model := map[string]int{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				name, v := names.Draw(t, "name"), rapid.Int().Draw(t, "v")
				n.Set(name, v)
				model[name] = v
			},
			"delete": func(t *rapid.T) {
				name := names.Draw(t, "name")
				_, there := model[name]
				if n.Delete(name) != there {
					t.Fatalf("Delete(%q) is not %v", name, there)
				}
				delete(model, name)
			},
			"get": func(t *rapid.T) {
				name := names.Draw(t, "name")
				v, there := model[name]
				if got, found := n.Get(name); got != v || found != there {
					t.Fatalf("Get(%q): got %d, %v; want %d, %v", name, got, found, v, there)
				}
			},
			"": func(t *rapid.T) {
				filter := filters.Draw(t, "filter")
				want := map[string]int{}
				for name, v := range model {
					if Match(filter, name) {
						want[name] = v
					}
				}
				got := map[string]int{}
				n.Match(filter, func(name string, v int) bool {
					if _, again := got[name]; again {
						t.Fatalf("Match(%q): %q twice", filter, name)
					}
					got[name] = v
					return true
				})
				if !maps.Equal(got, want) {
					t.Fatalf("Match(%q): got %v, want %v", filter, got, want)
				}
				if n.Len() != len(model) || size(t, &n.root) != prefixes(model) {
					t.Fatalf("%d names, %d nodes; want %d, %d", n.Len(), size(t, &n.root), len(model), prefixes(model))
				}
			},
		})
	})
}

func TestNamesMatchStops(t *testing.T) {
	var n Names[int]
	for i := range 100 {
		n.Set(fmt.Sprintf("a/%d/b/%d", i%20, i), i)
	}
	for _, filter := range []string{"#", "a/#", "a/+/#", "a/+/b/+", "+/+/+/+", "a/7/b/+"} {
		calls := 0
		n.Match(filter, func(string, int) bool { calls++; return calls < 3 })
		if calls != 3 {
			t.Errorf("%s: f was called %d times, want 3", filter, calls)
		}
	}
}

// TestNamesStepsAreBounded: a filter visits a node at most once, however it is made.
func TestNamesStepsAreBounded(t *testing.T) {
	var n Names[int]
	paths := map[string]bool{}
	for i := range 500 {
		for _, name := range []string{strings.Repeat("a/", i) + "a", strings.Repeat("a/b/", i) + "c", fmt.Sprintf("a/%d/a", i)} {
			n.Set(name, i)
			paths[name] = true
		}
	}
	nodes := 1 + prefixes(paths)
	for _, filter := range []string{"#", "a/#", strings.Repeat("+/", 998) + "+", strings.Repeat("+/", 998) + "#", strings.Repeat("a/+/", 499) + "#", strings.Repeat("+/", 32767) + "x"} {
		s := search[int]{f: func(string, int) bool { return true }}
		s.visit(&n.root, filter, true, true)
		if s.nodes > nodes {
			t.Errorf("%.20s: visited %d nodes of %d", filter, s.nodes, nodes)
		}
	}
}

// TestNamesMemory holds what a retained message costs beside the message itself.
func TestNamesMemory(t *testing.T) {
	const count = 20000
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("devices/boiler%05d/point%d", i/10, i%10)
	}
	var n Names[*int]
	before := heap()
	for _, name := range all {
		n.Set(name, nil)
	}
	each := (heap() - before) / count
	t.Logf("%d bytes a name of 26", each)
	if each > 250 {
		t.Errorf("%d bytes a name, want at most 250", each)
	}
	for _, name := range all {
		n.Delete(name)
	}
	if left := heap() - before; left > 64<<10 || n.Len() != 0 {
		t.Errorf("%d bytes left, %d names", left, n.Len())
	}
	runtime.KeepAlive(&n)
}

func TestNamesHidden(t *testing.T) {
	var n Names[int]
	for _, name := range []string{"$SYS/a", "$SYS", "a/$b", "b"} {
		n.Set(name, 0)
	}
	for filter, want := range map[string][]string{"#": {"a/$b", "b"}, "+": {"b"}, "+/#": {"a/$b", "b"}, "$SYS/#": {"$SYS", "$SYS/a"}, "+/+": {"a/$b"}, "$SYS/+": {"$SYS/a"}} {
		var got []string
		n.Match(filter, func(name string, _ int) bool { got = append(got, name); return true })
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
}
