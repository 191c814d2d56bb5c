package access

import (
	"regexp"
	"strings"
	"testing"

	"github.com/edged/edged/codec/topic"
)

// enumerate appends all strings of 1 to most levels from words that ok accepts.
func enumerate(words []string, most int, ok func(string) bool) (all []string) {
	last := []string{""}
	for depth := range most {
		var next []string
		for _, before := range last {
			for _, w := range words {
				s := before + "/" + w
				if depth == 0 {
					s = w
				}
				next = append(next, s)
				if s != "" && ok(s) {
					all = append(all, s)
				}
			}
		}
		last = next
	}
	return all
}

// TestCoversIsWhatEnumerationSays compares covers with its definition on all short filters and names. The names have a
// word and a length that no filter has, which stand for all others.
func TestCoversIsWhatEnumerationSays(t *testing.T) {
	filters := enumerate([]string{"a", "", "+", "#", "$a"}, 3, func(s string) bool { return topic.CheckFilter(s) == nil })
	names := enumerate([]string{"a", "", "z", "$a", "$z"}, 4, func(s string) bool { return topic.CheckName(s) == nil })
	names = append(names, "") // no name, but "/#" would match it, so that covers need not see that "/+/#" is the same
	matched := map[string][]bool{}
	for _, f := range filters {
		m := make([]bool, len(names))
		for i, n := range names {
			m[i] = topic.Match(f, n)
		}
		matched[f] = m
	}
	yes := 0
	for _, allowed := range filters {
		for _, asked := range filters {
			want, beyond := true, ""
			for i := range names {
				if matched[asked][i] && !matched[allowed][i] {
					want, beyond = false, names[i]
					break
				}
			}
			if got := covers(allowed, asked); got != want {
				t.Fatalf("covers(%q, %q) = %v; want %v (%q)", allowed, asked, got, want, beyond)
			}
			if want {
				yes++
			}
		}
	}
	if len(filters) < 100 || yes < len(filters) {
		t.Fatalf("%d filters, of which %d pairs cover: too few to mean anything", len(filters), yes)
	}
}

func TestCoversBySight(t *testing.T) {
	for _, c := range []struct {
		allowed, asked string
		want           bool
	}{
		{"#", "#", true}, {"+/#", "#", true}, {"#", "+/#", true}, {"#", "$SYS/#", false}, {"+/#", "$SYS/x", false},
		{"$SYS/#", "$SYS/+/x", true}, {"$SYS/#", "+/x", false}, {"a/#", "a", true}, {"a/#", "a/+/c", true}, {"a/+", "a/#", false},
		{"a/+/#", "a/#", false}, {"a/#", "a/+/#", true}, {"a/+", "a/b", true}, {"a/b", "a/+", false}, {"a", "a/#", false}, {"a/b", "a", false},
	} {
		if got := covers(c.allowed, c.asked); got != c.want {
			t.Errorf("covers(%q, %q) = %v", c.allowed, c.asked, got)
		}
	}
}

// FuzzCovers: what is allowed by a covering filter is never more than the allowed filter matches.
func FuzzCovers(f *testing.F) {
	f.Add("a/#", "a/+/c", "a/b/c")
	f.Add("+/#", "#", "$SYS/x")
	f.Add("#", "$share/x", "$share/x")
	f.Fuzz(func(t *testing.T, allowed, asked, name string) {
		if topic.CheckFilter(allowed) != nil || topic.CheckFilter(asked) != nil || topic.CheckName(name) != nil {
			return
		}
		if _, _, shared := topic.SplitShare(asked + allowed); shared {
			return
		}
		if covers(allowed, asked) && topic.Match(asked, name) && !topic.Match(allowed, name) {
			t.Errorf("covers(%q, %q), but not %q", allowed, asked, name)
		}
		if !covers(asked, asked) {
			t.Errorf("%q does not cover itself", asked)
		}
	})
}

func FuzzLike(f *testing.F) {
	for _, s := range []string{"meter-*", "*", "a*b*c", "", "**", "ab"} {
		f.Add(s, "meter-1")
		f.Add(s, "aXbXbXc")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		parts := strings.Split(pattern, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		re, err := regexp.Compile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
		if err != nil || strings.ToValidUTF8(pattern+name, "") != pattern+name {
			return
		}
		if got, want := like(pattern, name), re.MatchString(name); got != want {
			t.Errorf("like(%q, %q) = %v", pattern, name, got)
		}
	})
}

func TestLikeIsNotSlow(t *testing.T) {
	if like(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 20_000)) { // exponential if each * were tried by itself
		t.Error("matched")
	}
}
