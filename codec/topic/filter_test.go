package topic

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		filter, name string
		want         bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "A", false}, {"a", "a/", false}, {"a/", "a", false}, {"/a", "a", false}, {"a/b", "a", false}, {"a", "a/b", false},
		{"+", "a", true}, {"+", "a/b", false}, {"+", "/", false}, {"+/+", "/", true}, {"/+", "/a", true}, {"+", "/a", false}, {"+/+", "/a", true},
		{"a/+/c", "a/b/c", true}, {"a/+/c", "a//c", true}, {"a/+/c", "a/b/b/c", false}, {"a/+", "a", false}, {"a/+", "a/", true},
		{"#", "a", true}, {"#", "/", true}, {"#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "a/", true}, {"a/#", "a/b/c", true}, {"a/#", "ab", false}, {"a/#", "b", false},
		{"+/#", "a", true}, {"+/#", "a/b", true}, {"/#", "/a", true}, {"/#", "a", false}, {"a/+/#", "a", false}, {"a/+/#", "a/b", true},
		{"#", "$SYS", false}, {"#", "$SYS/a", false}, {"+/a", "$SYS/a", false}, {"+/#", "$SYS/a", false}, {"$SYS/#", "$SYS/a", true}, {"$SYS/+", "$SYS/a", true}, {"$SYS/#", "$SYS", true},
		{"a/+", "a/$b", true}, {"a/#", "a/$b", true}, {"/+", "/$SYS", true},
	} {
		if got := Match(c.filter, c.name); got != c.want {
			t.Errorf("%q, %q: got %v", c.filter, c.name, got)
		}
	}
}

// oracle matches in another way than Match does: by a regular expression.
func oracle(filter, name string) bool {
	if name[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	var re strings.Builder
	for i, level := range strings.Split(filter, "/") {
		switch {
		case level == "#" && i == 0:
			re.WriteString("(?s:.*)")
		case level == "#":
			re.WriteString("(?s:/.*)?")
		case i > 0:
			re.WriteString("/")
			fallthrough
		default:
			if level == "+" {
				re.WriteString("[^/]*")
			} else {
				re.WriteString(regexp.QuoteMeta(level))
			}
		}
	}
	return regexp.MustCompile("^(?:" + re.String() + ")$").MatchString(name)
}

// Few different levels, so that there are many matches.
var (
	names = rapid.Custom(func(t *rapid.T) string {
		return joined(t, rapid.SampledFrom([]string{"a", "b", "", "$x", "ä"}), "")
	}).Filter(func(s string) bool { return CheckName(s) == nil })
	filters = rapid.Custom(func(t *rapid.T) string {
		return joined(t, rapid.SampledFrom([]string{"a", "b", "", "$x", "ä", "+", "+"}), rapid.SampledFrom([]string{"", "", "#"}).Draw(t, "last"))
	}).Filter(func(s string) bool { return CheckFilter(s) == nil })
)

func joined(t *rapid.T, levels *rapid.Generator[string], last string) string {
	l := rapid.SliceOfN(levels, 1, 5).Draw(t, "levels")
	if last != "" {
		l[len(l)-1] = last
	}
	return strings.Join(l, "/")
}

func TestMatchAgreesWithRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter, name := filters.Draw(t, "filter"), names.Draw(t, "name")
		if got, want := Match(filter, name), oracle(filter, name); got != want {
			t.Fatalf("%q, %q: got %v, want %v", filter, name, got, want)
		}
	})
}

// FuzzMatch compares Match, Trie and Names with the oracle, and sees that they leave nothing behind.
func FuzzMatch(f *testing.F) {
	for _, c := range [][2]string{{"a/+/#", "a/b/c"}, {"#", "$SYS"}, {"+/+", "/"}, {"a/#", "a"}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, filter, name string) {
		if CheckFilter(filter) != nil || CheckName(name) != nil {
			return
		}
		want := oracle(filter, name)
		if Match(filter, name) != want {
			t.Errorf("Match(%q, %q) is not %v", filter, name, want)
		}
		var trie Trie[int]
		trie.Add(filter, 1)
		if (len(trie.Match(nil, name)) == 1) != want {
			t.Errorf("trie: %q, %q is not %v", filter, name, want)
		}
		var n Names[int]
		n.Set(name, 1)
		got := false
		n.Match(filter, func(string, int) bool { got = true; return true })
		if got != want {
			t.Errorf("names: %q, %q is not %v", filter, name, want)
		}
		if !trie.Remove(filter, 1) || trie.root.kids != nil || !n.Delete(name) || n.root.kids != nil {
			t.Errorf("%q, %q: not removed", filter, name)
		}
	})
}
