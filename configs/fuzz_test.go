package configs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzParse: whatever stands in a file, reading it neither panics nor hangs, and every mistake has a place in it.
func FuzzParse(f *testing.F) {
	f.Add(Example)
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{"a: &a [*a]", "<<: *x", "a: {b: [c, {d: e}]}", "x: |\n  y\n z", "- - - -", "{[: ]}", "? x", "a: !!map {}", "\"\\x\": 1", "a: b: c", "%\n", "*a : 1", "&a b: *a"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// The fuzzer itself waits for an input that hangs, and reports nothing.
		watchdog := time.AfterFunc(30*time.Second, func() { panic(fmt.Sprintf("hangs on %q", data)) })
		defer watchdog.Stop()
		c, err := checked("f.yaml", data)
		if c == nil && err == nil {
			t.Fatal("neither a configuration nor an error")
		}
		var es Errors
		if err != nil && !errors.As(err, &es) {
			t.Fatalf("%T: %v", err, err)
		}
		for _, e := range es {
			if e.File != "f.yaml" || e.Line < 1 || e.Column < 1 || e.Problem == "" {
				t.Errorf("no place: %#v", e)
			}
		}
		if c != nil {
			c.Warnings()
			if _, err := json.Marshal(c.Redact()); err != nil {
				t.Errorf("redacted: %v", err)
			}
		}
	})
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"${A}", "${A:-b}", "$$", "${", "$", "${:-}", "a${A}b$$c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if out, problem := expand(s); problem == "" && len(out) > len(s)+1<<20 {
			t.Errorf("%q grew to %d bytes", s, len(out))
		}
	})
}
