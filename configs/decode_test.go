package configs

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged"
)

// The decoder's own test structure: every kind of field that a part of edged may have.
type everything struct {
	Text    string            `yaml:"text"`
	Truth   bool              `yaml:"truth"`
	Int     int               `yaml:"int"`
	Int8    int8              `yaml:"int8"`
	Uint16  uint16            `yaml:"uint16"`
	Uint64  uint64            `yaml:"uint64"`
	Float   float64           `yaml:"float"`
	Float32 float32           `yaml:"float32"`
	Every   time.Duration     `yaml:"every"`
	Size    edged.Size        `yaml:"size"`
	Addr    netip.Addr        `yaml:"addr"`
	Any     any               `yaml:"any"`
	List    []string          `yaml:"list"`
	Pair    [2]int            `yaml:"pair"`
	Map     map[string]int    `yaml:"map"`
	Enum    map[int]string    `yaml:"enum"`
	Sizes   map[string]nested `yaml:"sizes"`
	Pointer *float64          `yaml:"pointer"`
	Nested  nested            `yaml:"nested"`
	Nesteds []nested          `yaml:"nesteds"`
	Deep    *nested           `yaml:"deep"`
	shared  `yaml:",inline"`
	Hidden  string    `yaml:"-"`
	Part    edged.Raw `yaml:"part"`
}

type shared struct {
	Name string `yaml:"name"`
}

type nested struct {
	A int    `yaml:"a"`
	B string `yaml:"b"`
}

func (n *nested) SetDefaults() { n.B = "b by default" }

// open takes keys that only its owner knows.
type open struct {
	Name string    `yaml:"name"`
	Raw  edged.Raw `yaml:"-"`
}

func decodeText(t *testing.T, text string, v any) error {
	t.Helper()
	root, errs := parseTree("test.yaml", []byte(text))
	if root != nil {
		d := decoder{}
		d.value(root, reflect.ValueOf(v).Elem(), "")
		errs = append(errs, d.errs...)
	}
	return join(errs, nil)
}

func TestDecodeEveryKind(t *testing.T) {
	const text = `
text: hello
truth: true
int: -12
int8: -128
uint16: 0xFFFF
uint64: 18446744073709551615
float: 1e3
float32: .5
every: 1d12h
size: 64MiB
addr: 127.0.0.1
any: [1, "1", true, null, 1.5, {x: y}, 18446744073709551615]
list: [a, 'b', "c\n", 5, no]
pair: [1, 2]
map: {x: 1, y: 010}
enum: {0: "off", 1: "on"}
sizes: {s: {a: 7}}
pointer: 2.5
nested: {a: 1}
nesteds:
- a: 1
  b: given
- a: 2
deep: {a: 3}
name: inlined
part: {b: raw, a: 9}
`
	got := everything{Nested: nested{B: "kept"}}
	if err := decodeText(t, text, &got); err != nil {
		t.Fatal(err)
	}
	var part nested
	if err := got.Part.Decode(&part); err != nil || part != (nested{A: 9, B: "raw"}) {
		t.Errorf("part: %+v, %v", part, err)
	}
	got.Part = nil
	pointer := 2.5
	want := everything{
		Text: "hello", Truth: true, Int: -12, Int8: -128, Uint16: 0xFFFF, Uint64: math.MaxUint64, Float: 1000, Float32: 0.5,
		Every: 36 * time.Hour, Size: 64 << 20, Addr: netip.MustParseAddr("127.0.0.1"),
		Any:  []any{int64(1), "1", true, nil, 1.5, map[string]any{"x": "y"}, uint64(math.MaxUint64)},
		List: []string{"a", "b", "c\n", "5", "no"}, Pair: [2]int{1, 2}, Map: map[string]int{"x": 1, "y": 10},
		Enum: map[int]string{0: "off", 1: "on"}, Sizes: map[string]nested{"s": {A: 7, B: "b by default"}}, Pointer: &pointer,
		Nested:  nested{A: 1, B: "kept"},
		Nesteds: []nested{{A: 1, B: "given"}, {A: 2, B: "b by default"}},
		Deep:    &nested{A: 3, B: "b by default"}, shared: shared{Name: "inlined"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestNothingWrittenKeepsDefaults(t *testing.T) {
	const text = "text:\nint: ~\nnested: null\nlist:\nname: x\n"
	got := everything{Text: "d", Int: 5, Nested: nested{A: 1}, List: []string{"d"}}
	if err := decodeText(t, text, &got); err != nil {
		t.Fatal(err)
	}
	want := everything{Text: "d", Int: 5, Nested: nested{A: 1}, List: []string{"d"}, shared: shared{Name: "x"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDecodeMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"txt: x", `test.yaml:1:1: unknown key "txt"; did you mean "text"?`},
		{"TEXT: x", `test.yaml:1:1: unknown key "TEXT"; did you mean "text"?`},
		{"nested: {c: 1}", `test.yaml:1:10: nested: unknown key "c"; did you mean "a"?`},
		{"nested: {zzzz: 1}", `test.yaml:1:10: nested: unknown key "zzzz"; known are a, b`},
		{"Hidden: x", `test.yaml:1:1: unknown key "Hidden"`},
		{"int: many", `test.yaml:1:6: int: expected a whole number, found "many"`},
		{"int: 1.5", `test.yaml:1:6: int: expected a whole number, found "1.5"`},
		{"int: [1]", `test.yaml:1:6: int: expected a whole number, found a list`},
		{"int8: 128", `test.yaml:1:7: int8: 128 is out of range; use -128 to 127`},
		{"int8: 99999999999999999999", `test.yaml:1:7: int8: 99999999999999999999 is out of range; use -128 to 127`},
		{"uint16: -1", `test.yaml:1:9: uint16: -1 is out of range; use 0 to 65535`},
		{"uint64: 18446744073709551616", `test.yaml:1:9: uint64: 18446744073709551616 is out of range; use 0 to 18446744073709551615`},
		{"truth: yes", `test.yaml:1:8: truth: expected true or false, found "yes"`},
		{"float: 0x1p3", `test.yaml:1:8: float: expected a number, found "0x1p3"`},
		{"float32: 1e300", `test.yaml:1:10: float32: "1e300" does not fit a 32 bit floating-point number`},
		{"every: 10", `test.yaml:1:8: every: expected a duration such as 500ms, 10s, 5m, 2h or 7d, found "10"; a unit is missing: write 10s for seconds`},
		{"every: soon", `test.yaml:1:8: every: expected a duration such as 500ms, 10s, 5m, 2h or 7d, found "soon"`},
		{"every: 1d-3h", `test.yaml:1:8: every: expected a duration`},
		{"every: 99999999d", `test.yaml:1:8: every: expected a duration`},
		{"size: big", `test.yaml:1:7: size: "big" is not a size; write a number of bytes`},
		{"size: {a: 1}", `test.yaml:1:7: size: expected a value, found a group of keys`},
		{"addr: here", `test.yaml:1:7: addr: ParseAddr("here")`},
		{"text: {a: b}", `test.yaml:1:7: text: expected a text, found a group of keys`},
		{"list: a", `test.yaml:1:7: list: expected a list, found "a"; write [a]`},
		{"nesteds: {a: 1}", `test.yaml:1:10: nesteds: expected a list, found a group of keys`},
		{"nesteds:\n- a: x", `test.yaml:2:6: nesteds[0].a: expected a whole number, found "x"`},
		{"nesteds:\n- ", `nesteds[0]: expected a value after the dash, found nothing`},
		{"pair: [1]", `test.yaml:1:7: pair: expected 2 values, found 1`},
		{"map: [1]", `test.yaml:1:6: map: expected a group of keys, found a list`},
		{"enum: {x: on}", `test.yaml:1:8: enum.x: expected a whole number, found "x"`},
		{"nested: 5", `test.yaml:1:9: nested: expected a group of keys, found "5"`},
		{"int: 1\nint: 2", `test.yaml:2:1: key "int" is given twice; it stands already at test.yaml:1:1`},
		{"- a", `test.yaml:1:1: expected a group of keys, found a list`},
		{"hello", `test.yaml:1:1: expected a group of keys, found "hello"`},
		{"nested: *x", `test.yaml:1:9: nested: the alias *x has no anchor &x before it`},
		{"nested: &x {b: *x}", `test.yaml:1:16: nested.b: the alias *x has no anchor &x before it`},
		{"nested: {<<: 5}", `<< expects a group of keys, found "5"`},
		{"any: [${EDGED_UNSET}]", `a variable needs quotes: "${NAME}"`},
		{"any: [\"${EDGED_UNSET}\"]", `any[0]: the environment variable EDGED_UNSET is not set; set it, or write ${EDGED_UNSET:-default}`},
		{"text: ${EDGED_UNSET}", `test.yaml:1:7: text: the environment variable EDGED_UNSET is not set`},
	} {
		var v everything
		err := decodeText(t, c.text, &v)
		if err == nil {
			t.Errorf("%s: decoded as %+v, want an error", c.text, v)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.text, err, c.want)
		}
	}
}

func TestAllMistakesInOrderWithCarets(t *testing.T) {
	const text = "txt: x\nnesteds:\n  - a: x\n    c: 1\nint: 1\n"
	const want = `test.yaml:1:1: unknown key "txt"; did you mean "text"?
    txt: x
    ^
test.yaml:3:8: nesteds[0].a: expected a whole number, found "x"
      - a: x
           ^
test.yaml:4:5: nesteds[0]: unknown key "c"; did you mean "a"?
        c: 1
        ^`
	var v everything
	err := decodeText(t, text, &v)
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if v.Int != 1 {
		t.Error("what is right beside mistakes must be decoded")
	}
}

func TestRawKeepsPlaces(t *testing.T) {
	const text = "name: x\nlevel: [1\n ,2]\nspeed: fast\nsped: 1\n"
	var o open
	if err := decodeText(t, text, &o); err != nil {
		t.Fatal(err)
	}
	var driver struct {
		Name  string `yaml:"name"`
		Level []int  `yaml:"level"`
		Speed int    `yaml:"speed"`
	}
	err := o.Raw.Decode(&driver)
	var es Errors
	if !errors.As(err, &es) || len(es) != 2 || es[0].Line != 4 || es[0].Column != 8 || es[1].Line != 5 {
		t.Fatalf("got %v", err)
	}
	if o.Name != "x" || driver.Name != "x" || !reflect.DeepEqual(driver.Level, []int{1, 2}) {
		t.Errorf("got %+v and %+v", o, driver)
	}
	if err := o.Raw.Decode(driver); err == nil {
		t.Error("Decode into a value that is no pointer: want an error")
	}
}

func TestAnchors(t *testing.T) {
	const text = `
nested: &n {a: 1, b: x}
deep:
  <<: *n
  a: 2
nesteds: [*n, {<<: *n, b: y}]
`
	var v everything
	if err := decodeText(t, text, &v); err != nil {
		t.Fatal(err)
	}
	want := everything{Nested: nested{1, "x"}, Deep: &nested{2, "x"}, Nesteds: []nested{{1, "x"}, {1, "y"}}}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("got %+v, want %+v", v, want)
	}
}

func TestManyMistakesAreCut(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "unknown%d: 1\n", i)
	}
	var es Errors
	if err := decodeText(t, b.String(), &everything{}); !errors.As(err, &es) || len(es) != maxErrors+1 {
		t.Fatalf("got %d errors, want %d", len(es), maxErrors+1)
	}
}
