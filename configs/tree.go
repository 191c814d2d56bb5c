package configs

import (
	"fmt"
	"strings"
)

// kind is what a node of the tree is.
type kind int

const (
	null kind = iota
	scalar
	list
	mapping
)

func (k kind) String() string {
	return [...]string{"nothing", "a value", "a list", "a group of keys"}[k]
}

// source is one file: its name and its lines, for messages.
type source struct {
	name  string
	lines []string
}

// node is a value of the configuration with its place. Aliases make the tree a graph without cycles: an anchor's node
// has several parents and is never copied, and size bounds what walking all of them costs.
type node struct {
	kind      kind
	src       *source
	line, col int
	// text is a scalar's value after ${…} was replaced, written what the file has in its place.
	text, written string
	// problem says why ${…} could not be replaced; whoever decodes the value reports it.
	problem string
	// plain: the scalar is without quotes, so that 5 is a number and true a truth value to those who take anything.
	plain   bool
	items   []*node
	entries []entry
	// size counts the nodes below, an alias as much as its anchor.
	size int
}

// entry is a key and its value; line and col are the key's.
type entry struct {
	key       string
	src       *source
	line, col int
	value     *node
}

// errorf makes an Error at the node's place. A nil node has none.
func (n *node) errorf(path, format string, args ...any) *Error {
	if n == nil {
		return &Error{Key: path, Problem: fmt.Sprintf(format, args...)}
	}
	return n.src.errorf(n.line, n.col, path, format, args...)
}

func (e *entry) errorf(path, format string, args ...any) *Error {
	return e.src.errorf(e.line, e.col, path, format, args...)
}

// longestShown is the longest line, in bytes, that a message shows a part of.
const longestShown = 4096

func (s *source) errorf(line, col int, path, format string, args ...any) *Error {
	e := &Error{File: s.name, Line: line, Column: max(col, 1), Key: path, Problem: fmt.Sprintf(format, args...)}
	if line >= 1 && line <= len(s.lines) && len(s.lines[line-1]) <= longestShown {
		e.Source = mask(strings.TrimRight(s.lines[line-1], " \t"))
	}
	return e
}

// place says where a node is, for messages about two places.
func (e *entry) place() string { return fmt.Sprintf("%s:%d:%d", e.src.name, e.line, e.col) }

func (n *node) place() string { return fmt.Sprintf("%s:%d:%d", n.src.name, n.line, n.col) }

// found describes what stands at the node: `a list`, `the text "x"`.
func (n *node) found() string {
	if n.kind != scalar {
		return n.kind.String()
	}
	return quote(n.written)
}

// below joins a path and a key.
func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
