package configs

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// bombs are files that cost far more to read than to write.
func bombs() map[string]string {
	laughs := "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("l%d: &l%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 9)+fmt.Sprintf("*l%d", i-1))
	}
	merges := "m0: &m0 {a: 1}\n"
	for i := 1; i < 40; i++ {
		merges += fmt.Sprintf("m%d: &m%d {x%d: *m%d, y%d: *m%d}\n", i, i, i, i-1, i, i-1)
	}
	var keys strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	var staircase strings.Builder
	for i := range 400 {
		fmt.Fprintf(&staircase, "%sa:\n", strings.Repeat(" ", i))
	}
	return map[string]string{
		"a billion laughs": laughs, "doubling groups": merges, "many keys": keys.String(), "staircase": staircase.String(),
		"deep [":       strings.Repeat("[", 90_000),
		"deep [ {":     strings.Repeat("{a: ", 40_000),
		"deep dashes":  strings.Repeat("- ", 90_000),
		"deep keys":    strings.Repeat("? ", 40_000),
		"tags":         strings.Repeat("!a ", 40_000),
		"anchors":      strings.Repeat("&a ", 40_000),
		"documents":    strings.Repeat("---\na: 1\n", 5_000),
		"big":          strings.Repeat("#", maxFile+1),
		"marks":        strings.Repeat("[", maxFile),
		"lines":        strings.Repeat("\n", maxFile),
		"wide group":   "a: {" + strings.ReplaceAll(strings.TrimSpace(keys.String()), "\n", ", ") + "}",
		"twice":        "a: {" + strings.Repeat("k: 1, ", 1_500) + "}",
		"merged lists": "a: &a [" + strings.Repeat("{a: 1}, ", 100) + "]\nb: &b [" + strings.Repeat("*a, ", 5000) + "]\n",
	}
}

func TestBombsAreRefusedCheaply(t *testing.T) {
	for name, text := range bombs() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, errs := parseTree("bomb.yaml", []byte(text))
			runtime.ReadMemStats(&after)
			if len(errs) == 0 {
				t.Fatal("accepted")
			}
			// Allocation stands for time, too, and unlike time it does not depend on the machine's load.
			limit := uint64(48)
			if strings.Contains(errs[0].Problem, "brackets are open") || strings.Contains(name, "laughs") {
				limit = 8 // these need no token to be seen
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > limit {
				t.Errorf("allocated %d MiB to say %q", mb, errs[0].summary())
			}
			if strings.HasPrefix(name, "deep [") && !strings.Contains(errs[0].Problem, "brackets are open") {
				t.Errorf("seen late: %s", errs[0].summary())
			}
			if errs[0].Line == 0 || errs[0].Column == 0 {
				t.Errorf("no place: %s", errs[0])
			}
			if len(errs[0].Error()) > 1000 {
				t.Errorf("a message of %d bytes", len(errs[0].Error()))
			}
			t.Logf("%4d KiB  %s", (after.TotalAlloc-before.TotalAlloc)>>10, errs[0].summary())
		})
	}
}

func TestLargeHonestFileIsRead(t *testing.T) {
	text := "nesteds:\n" + strings.Repeat("  - {a: 1, b: \"some text\"}\n", 10_000)
	var v everything
	if err := decodeText(t, text, &v); err != nil || len(v.Nesteds) != 10_000 {
		t.Fatalf("got %d entries, %v", len(v.Nesteds), err)
	}
}

func TestOddFiles(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"only a comment", "# nothing\n", ""},
		{"only null", "~\n", ""},
		{"byte order mark", "\uFEFFtext: x\n", ""},
		{"carriage returns", "text: x\r\nint: 1\r\n", ""},
		{"old carriage returns", "text: x\rint: 1\r", ""},
		{"document markers", "---\ntext: x\n...\n", ""},
		{"marker after a comment", "# c\n---\ntext: x\n", ""},
		{"tab as indent", "nested:\n\ta: 1\n", "t.yaml:2:1: a tab cannot indent; use spaces"},
		{"two documents", "text: x\n---\ntext: y\n", "t.yaml:2:1: a second document begins here; a file has one"},
		{"directive", "%YAML 1.2\n---\ntext: x\n", "t.yaml:1:1: YAML directives are not supported; remove the line"},
		{"tag", "text: !!binary x\n", `t.yaml:1:7: YAML tags are not supported; leave out "!!binary"`},
		{"complex key", "? a\n: b\n", "t.yaml:1:1: keys marked with ? are not supported; write key: value"},
		{"latin-1", "text: caf\xe9\n", "t.yaml:1:10: not UTF-8 text; save the file as UTF-8"},
		{"utf-16", "\xff\xfet\x00e\x00", "t.yaml:1:1: not UTF-8 text; save the file as UTF-8"},
		{"nul", "text: a\x00b\n", "t.yaml:1:8: a control character (U+0000) stands here"},
		{"open quote", "text: \"x\n", "t.yaml:1:7: not valid YAML: could not find end character of double-quoted text"},
		{"open bracket", "list: [a\nint: 1\n", "t.yaml:2:1: not valid YAML: ',' or ']' must be specified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs := parseTree("t.yaml", []byte(c.text))
			got := ""
			if len(errs) > 0 {
				got = errs[0].summary()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
