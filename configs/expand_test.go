package configs

import (
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	t.Setenv("EDGED_A", "alpha")
	t.Setenv("EDGED_EMPTY", "")
	t.Setenv("EDGED_NESTED", "${EDGED_A} $$ x: y # z")
	for _, c := range []struct{ in, want, problem string }{
		{"", "", ""},
		{"plain", "plain", ""},
		{"${EDGED_A}", "alpha", ""},
		{"<${EDGED_A}|${EDGED_A}>", "<alpha|alpha>", ""},
		{"${EDGED_EMPTY}", "", ""},
		{"${EDGED_EMPTY:-x}", "x", ""},
		{"${EDGED_A:-x}", "alpha", ""},
		{"${EDGED_NONE:-}", "", ""},
		{"${EDGED_NONE:-a:-b}", "a:-b", ""},
		{"${EDGED_NESTED}", "${EDGED_A} $$ x: y # z", ""},
		{"$${EDGED_A}", "${EDGED_A}", ""},
		{"$$$$", "$$", ""},
		{"100$", "100$", ""},
		{`^ST,(\d+)$|$HOME`, `^ST,(\d+)$|$HOME`, ""},
		{"${EDGED_NONE}", "", "the environment variable EDGED_NONE is not set"},
		{"${EDGED_A", "", "${ has no }"},
		{"${}", "", `"" is not the name of a variable`},
		{"${1A}", "", `"1A" is not the name of a variable`},
		{"${A-B}", "", `"A-B" is not the name of a variable`},
	} {
		got, problem := expand(c.in)
		if got != c.want || c.problem == "" && problem != "" || !strings.Contains(problem, c.problem) {
			t.Errorf("%s: got %q, problem %q", c.in, got, problem)
		}
	}
}

// What a variable holds is one value of the kind the key wants, whatever it looks like.
func TestVariablesAreValuesOnly(t *testing.T) {
	t.Setenv("EDGED_YAML", "x: [1, 2]\ny: 3")
	t.Setenv("EDGED_NUMBER", "42")
	t.Setenv("EDGED_NULL", "null")
	var v everything
	err := decodeText(t, "text: ${EDGED_YAML}\nint: ${EDGED_NUMBER}\nuint16: '${EDGED_NUMBER}'\nany: [\"${EDGED_NUMBER}\"]\nname: ${EDGED_NULL}\n", &v)
	if err != nil {
		t.Fatal(err)
	}
	if v.Text != "x: [1, 2]\ny: 3" || v.Int != 42 || v.Uint16 != 42 || v.Any.([]any)[0] != "42" || v.Name != "null" {
		t.Errorf("got %+v", v)
	}
	// Keys are not values.
	if err := decodeText(t, "map: {\"${EDGED_NUMBER}\": 1}\n", &v); err != nil || v.Map["${EDGED_NUMBER}"] != 1 {
		t.Errorf("got %v, %v", v.Map, err)
	}
}

func TestMessagesShowVariablesNotTheirValues(t *testing.T) {
	t.Setenv("EDGED_SECRET", "hunter2")
	for _, text := range []string{"int: ${EDGED_SECRET}", "size: ${EDGED_SECRET}", "every: ${EDGED_SECRET}", "addr: ${EDGED_SECRET}", "nested: ${EDGED_SECRET}", "truth: x${EDGED_SECRET}"} {
		var v everything
		err := decodeText(t, text, &v)
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "${EDGED_SECRET}") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
