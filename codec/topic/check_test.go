package topic

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// badStrings are refused as names and as filters.
var badStrings = map[string]string{
	"empty":            "",
	"U+0000":           "a\x00b",
	"U+0000 last":      "a\x00",
	"ill-formed UTF-8": "a/\xff",
	"cut UTF-8":        "a/\xe2\x82",
	"overlong slash":   "a\xc0\xafb",
	"surrogate":        "\xed\xa0\x80",
	"above U+10FFFF":   "\xf4\x90\x80\x80",
	"65,536 bytes":     strings.Repeat("a", 65536),
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{
		"a", "/", "//", "a/", "/a", "a/b/c", " ", "a b", "$SYS/x", "$", "$share/g/a", "ü/日本/🙂", "\ufeff", "\uffff", "\x01",
		strings.Repeat("a", 65535), strings.Repeat("/", 65535),
	} {
		if err := CheckName(good); err != nil {
			t.Errorf("%.20q: %v", good, err)
		}
	}
	for what, bad := range badStrings {
		if CheckName(bad) == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	for _, bad := range []string{"+", "#", "a/+", "a/#", "a+b", "a#", "+/a", strings.Repeat("a", 65534) + "#"} {
		if CheckName(bad) == nil {
			t.Errorf("%.20q: accepted", bad)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	for _, good := range []string{
		"a", "/", "+", "#", "/#", "/+", "+/", "+/+", "a/+/b", "a/#", "+/#", "+/a/#", "$SYS/#", "$share", "$shared/g", "$SHARE//a",
		"$share/g/a", "$share/g/#", "$share/g/+", "$share/g//", "$share/g/+/a/#", "$share/ü/a",
		strings.Repeat("+/", 32767) + "+", strings.Repeat("+/", 32767) + "#", strings.Repeat("/", 65534) + "#",
	} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("%.20q: %v", good, err)
		}
	}
	for what, bad := range badStrings {
		if CheckFilter(bad) == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	for _, bad := range []string{
		"a#", "#a", "a/b#", "#/a", "#/", "#/#", "##", "a/#/b", "a+", "+a", "a/+b/c", "++", "+#", "#+", "a/b+/#",
		"$share/", "$share/g", "$share/g/", "$share//a", "$share///", "$share/+/a", "$share/#/a", "$share/g+/a", "$share/#",
		"$share/g/a#", "$share/g/#/a", "$share/g/+a",
	} {
		if CheckFilter(bad) == nil {
			t.Errorf("%.20q: accepted", bad)
		}
	}
}

func TestErrorsFitALine(t *testing.T) {
	err := errors.Join(CheckName(strings.Repeat("ä/\x00", 10000)), CheckFilter(strings.Repeat("x", 65535)+"#"))
	if err == nil || len(err.Error()) > 500 || !utf8.ValidString(err.Error()) {
		t.Errorf("got %d bytes: %v", len(err.Error()), err)
	}
}

func TestSplitShare(t *testing.T) {
	for _, c := range []struct {
		filter, group, rest string
		shared              bool
	}{
		{"a/b", "", "a/b", false},
		{"$share", "", "$share", false},
		{"$shared/g/a", "", "$shared/g/a", false},
		{"$share/g/a", "g", "a", true},
		{"$share/g//a", "g", "/a", true},
		{"$share/g/#", "g", "#", true},
		{"$share/g/$share/h/a", "g", "$share/h/a", true},
	} {
		if group, rest, shared := SplitShare(c.filter); group != c.group || rest != c.rest || shared != c.shared {
			t.Errorf("%q: got %q, %q, %v", c.filter, group, rest, shared)
		}
	}
}

func TestLevels(t *testing.T) {
	for s, want := range map[string]int{"a": 1, "a/b": 2, "/": 2, "/a/": 3, strings.Repeat("/", 65535): 65536} {
		if got := Levels(s); got != want {
			t.Errorf("%.20q: got %d, want %d", s, got, want)
		}
	}
}

// FuzzCheck holds that the checks agree with each other, and that what they accept can be used.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"", "a/b", "a/+/#", "$share/g/a/#", "$share//a", "\xff", "a\x00", "#/a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		isName, isFilter := CheckName(s) == nil, CheckFilter(s) == nil
		group, rest, shared := SplitShare(s)
		if isName && !shared && (!isFilter || !Match(s, s)) {
			t.Errorf("%q is a name, but not a filter that matches it", s)
		}
		if isFilter && shared && (group == "" || strings.Contains(group, "/") || CheckFilter("x/"+rest) != nil) {
			t.Errorf("%q is split into %q and %q", s, group, rest)
		}
		if (isName || isFilter) && (s == "" || !utf8.ValidString(s) || strings.Contains(s, "\x00")) {
			t.Errorf("%q was accepted", s)
		}
	})
}
