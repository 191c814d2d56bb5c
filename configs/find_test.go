package configs

import "testing"

func TestFind(t *testing.T) {
	root, errs := parseTree("f.yaml", []byte("a:\n  b: [1, {c: 2}]\n  b.c: 3\n  b.c.d: {e: 4}\nz: 5\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, c := range []struct {
		path      string
		line, col int
		whole     bool
	}{
		{"", 1, 1, true},
		{"a.b[0]", 2, 7, true},
		{"a.b[1].c", 2, 14, true},
		{"a.b[1].x", 2, 10, false},
		{"a.b[2]", 2, 6, false},
		{"a.b[x]", 2, 6, false},
		{"a.b[-1]", 2, 6, false},
		{"a.b.c", 3, 8, true},
		{"a.b.c.d.e", 4, 14, true},
		{"a.bb", 2, 3, false},
		{"y.z", 1, 1, false},
		{"z.y", 5, 4, false},
	} {
		n := root.find(c.path)
		if n == nil || n.line != c.line || n.col != c.col {
			t.Errorf("%q: got %+v, want %d:%d", c.path, n, c.line, c.col)
		}
		if whole := root.lookup(c.path) != nil; whole != c.whole {
			t.Errorf("%q: lookup found it: %v", c.path, whole)
		}
	}
	var none *node
	if none.find("a") != nil || none.lookup("a") != nil {
		t.Error("nothing is found below nothing")
	}
}
