package configs

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseTree reads one file into a tree; an empty file gives nil. The only place that knows the YAML library.
func parseTree(name string, data []byte) (root *node, errs []*Error) {
	src := &source{name: name}
	if len(data) > maxFile {
		return nil, []*Error{src.errorf(1, 1, "", "the file has %d bytes; at most %d are read", len(data), maxFile)}
	}
	text := strings.TrimPrefix(string(data), "\uFEFF")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	src.lines = strings.Split(text, "\n")
	if err := checkText(src, text); err != nil {
		return nil, []*Error{err}
	}
	// The library is fed hostile text here: what it does not foresee must not end the process.
	defer func() {
		if r := recover(); r != nil {
			root, errs = nil, []*Error{src.errorf(1, 1, "", "the YAML parser failed on this file: %v", r)}
		}
	}()
	tokens := lexer.Tokenize(text)
	if err := checkTokens(src, tokens); err != nil {
		return nil, []*Error{err}
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []*Error{syntaxError(src, err)}
	}
	b := builder{src: src, anchors: make(map[string]*node)}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			root = b.node(doc.Body, 1, 1)
		}
	}
	if root != nil && root.kind == null {
		root = nil
	}
	return root, b.errs
}

// syntaxError takes message and place out of the library's error.
func syntaxError(src *source, err error) *Error {
	var at interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &at) || at.GetToken() == nil {
		return src.errorf(1, 1, "", "not valid YAML: %s", err)
	}
	pos := at.GetToken().Position
	line := min(max(pos.Line, 1), len(src.lines))
	if i := tabIndent(src.lines[line-1]); i > 0 {
		return src.errorf(line, i, "", "a tab cannot indent; use spaces")
	}
	problem, hint := at.GetMessage(), ""
	if plainer := plainWords[problem]; plainer != "" {
		problem = plainer
	}
	if strings.Contains(src.lines[line-1], "${") {
		hint = `; between [ ] or { } a variable needs quotes: "${NAME}"`
	}
	return src.errorf(line, pos.Column, "", "not valid YAML: %s%s", problem, hint)
}

// plainWords say what the library's most frequent messages mean.
var plainWords = map[string]string{
	"unexpected key name":                          "this is no key with its value; write key: value, with a space after the colon",
	"mapping value is not allowed in this context": "what follows here does not fit; keys of one group begin in the same column, and a value with a colon needs quotes",
}

// tabIndent returns the column of a tab in the indentation of a line, 0 when there is none.
func tabIndent(line string) int {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	return strings.IndexByte(indent, '\t') + 1
}

// builder turns the library's syntax tree into ours.
type builder struct {
	src     *source
	anchors map[string]*node
	errs    []*Error
}

func (b *builder) fail(line, col int, format string, args ...any) {
	if len(b.errs) > maxErrors {
		return
	}
	b.errs = append(b.errs, b.src.errorf(line, col, "", format, args...))
}

// node converts n; line and col are used where n has no place of its own, such as a value left out.
func (b *builder) node(n ast.Node, line, col int) *node {
	if t := n.GetToken(); t != nil && t.Position != nil && t.Type != token.ImplicitNullType {
		line, col = t.Position.Line, max(t.Position.Column, 1)
	}
	out := &node{src: b.src, line: line, col: col, size: 1}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		b.mapping(out, n.Values)
	case *ast.MappingValueNode:
		b.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = list
		for _, v := range n.Values {
			item := b.node(v, line, col)
			out.items = append(out.items, item)
			out.size = addSize(out.size, item.size)
		}
	case *ast.AnchorNode:
		out = b.node(n.Value, line, col)
		b.anchors[n.Name.GetToken().Value] = out
	case *ast.AliasNode:
		out = b.alias(n, out)
	case *ast.LiteralNode:
		b.scalar(out, n.Value.Value, false)
	case *ast.StringNode:
		quoted := n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		b.scalar(out, n.Value, !quoted)
	case ast.ScalarNode:
		b.scalar(out, n.GetToken().Value, true)
	default:
		b.fail(line, col, "%s is not supported in a configuration", strings.ToLower(n.Type().YAMLName()))
	}
	return out
}

func (b *builder) scalar(out *node, text string, plain bool) {
	out.kind, out.plain, out.written = scalar, plain, text
	out.text, out.problem = expand(text)
}

func (b *builder) alias(n *ast.AliasNode, out *node) *node {
	name := n.Value.GetToken().Value
	target, ok := b.anchors[name]
	if !ok {
		out.kind, out.written = scalar, "*"+name
		out.problem = fmt.Sprintf("the alias *%s has no anchor &%s before it", name, name)
		return out
	}
	return target
}

func (b *builder) mapping(out *node, values []*ast.MappingValueNode) {
	out.kind = mapping
	index := make(map[string]int, len(values))
	var merges []*node
	for i, v := range values {
		t := v.Key.GetToken()
		e := entry{key: t.Value, src: b.src, line: t.Position.Line, col: max(t.Position.Column, 1)}
		if i == 0 && (v.Start == nil || out.line != e.line || out.col > e.col) {
			out.line, out.col = e.line, e.col
		}
		e.value = b.node(v.Value, e.line, e.col)
		if v.Key.IsMergeKey() {
			merges = append(merges, e.value)
			continue
		}
		if first, twice := index[e.key]; twice {
			b.fail(e.line, e.col, "key %s is given twice; it stands already at %s", quote(e.key), out.entries[first].place())
			continue
		}
		index[e.key] = len(out.entries)
		out.entries = append(out.entries, e)
		out.size = addSize(out.size, e.value.size)
	}
	for _, m := range merges {
		b.merge(out, m, index)
	}
	if out.size > maxNodes {
		b.fail(out.line, out.col, "with its aliases this has more than %d values; write it without aliases of aliases", maxNodes)
		out.kind, out.entries, out.size = null, nil, 1
	}
}

// merge adds the keys of `<<: *anchor` that the mapping has not itself.
func (b *builder) merge(out, from *node, index map[string]int) {
	if from.kind == list {
		for _, item := range from.items {
			b.merge(out, item, index)
		}
		return
	}
	if from.problem != "" {
		b.fail(from.line, from.col, "%s", from.problem)
		return
	}
	if from.kind != mapping {
		b.fail(from.line, from.col, "<< expects a group of keys, found %s", from.found())
		return
	}
	for _, e := range from.entries {
		if _, have := index[e.key]; have {
			continue
		}
		index[e.key] = len(out.entries)
		out.entries = append(out.entries, e)
		out.size = addSize(out.size, e.value.size)
	}
}

// addSize adds without overflow, also of 32 bits: aliases of aliases multiply.
func addSize(a, b int) int { return min(a+b, 1<<29) }

// checkText refuses what no editor writes, with its place.
func checkText(src *source, text string) *Error {
	for i, line := range src.lines {
		col := 0
		for pos, r := range line {
			col++
			if r == utf8.RuneError && !strings.HasPrefix(line[pos:], "\uFFFD") {
				return src.errorf(i+1, col, "", "not UTF-8 text; save the file as UTF-8")
			}
			if (r < ' ' && r != '\t') || r == 0x7F {
				return src.errorf(i+1, col, "", "a control character (%s) stands here", fmt.Sprintf("U+%04X", r))
			}
		}
	}
	return checkMarks(src, text)
}
