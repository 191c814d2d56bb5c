package configs

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// Bounds of a file, so that none can take the gateway's memory or its stack before it is refused. The largest real
// configurations (thousands of points) stay far below.
const (
	maxFile  = 1 << 20 // bytes
	maxMarks = 100_000 // what may begin or end a value: commas, brackets, line ends
	maxDepth = 40      // values inside values
	maxKeys  = 2_000   // keys of one group: the parser takes quadratic time in them
	maxNodes = 250_000 // values, an alias counted as what it stands for
)

// checkMarks bounds the number of tokens before any is made: one takes 200 bytes.
func checkMarks(src *source, text string) *Error {
	marks, open := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '[', '{':
			marks++
			// Quoted brackets count, too: no honest file leaves that many open.
			if open++; open > 25*maxDepth {
				line := strings.Count(text[:i], "\n")
				return src.errorf(line+1, 1, "", "more than %d brackets are open here", 25*maxDepth)
			}
		case ']', '}':
			marks++
			open--
		case ',', '\n', ':', '-', '?', '&', '*', '!':
			marks++
		}
	}
	if marks > maxMarks {
		line := len(src.lines)
		return src.errorf(line, 1, "", "the file has more than %d values; split it, or use a script that makes fewer, larger parts", maxMarks)
	}
	return nil
}

// level is one open block or bracket: the column of a block, whether it is a group of keys, and the number of its keys.
type level struct {
	col   int
	group bool
	keys  int
}

// checkTokens bounds depth and width, and refuses the parts of YAML that a configuration has no use for.
func checkTokens(src *source, tokens token.Tokens) *Error {
	var (
		flow   []level // open brackets; keys counts the commas
		blocks []level
		docs   int
		seen   bool
	)
	for i, t := range tokens {
		fail := func(format string, args ...any) *Error {
			return src.errorf(t.Position.Line, t.Position.Column, "", format, args...)
		}
		switch t.Type {
		case token.DirectiveType:
			return fail("YAML directives are not supported; remove the line")
		case token.TagType:
			return fail("YAML tags are not supported; leave out %s", quote(t.Value))
		case token.MappingKeyType:
			return fail("keys marked with ? are not supported; write key: value")
		case token.DocumentHeaderType, token.DocumentEndType:
			if docs++; (seen || docs > 1) && t.Type == token.DocumentHeaderType {
				return fail("a second document begins here; a file has one")
			}
			continue
		case token.MappingStartType, token.SequenceStartType:
			flow = append(flow, level{group: t.Type == token.MappingStartType})
		case token.MappingEndType, token.SequenceEndType:
			flow = flow[:max(len(flow)-1, 0)]
		case token.CollectEntryType:
			if n := len(flow); n > 0 {
				top := &flow[n-1]
				if top.keys++; top.group && top.keys >= maxKeys {
					return fail("a group has more than %d keys", maxKeys)
				}
			}
		}
		seen = seen || t.Type != token.CommentType
		isKey := i+1 < len(tokens) && tokens[i+1].Type == token.MappingValueType
		if len(flow) == 0 && (isKey || t.Type == token.SequenceEntryType) {
			col := t.Position.Column
			for len(blocks) > 0 && blocks[len(blocks)-1].col > col {
				blocks = blocks[:len(blocks)-1]
			}
			if n := len(blocks); n == 0 || blocks[n-1].col < col {
				blocks = append(blocks, level{col: col})
			}
			if isKey {
				top := &blocks[len(blocks)-1]
				if top.keys++; top.keys > maxKeys {
					return fail("a group has more than %d keys", maxKeys)
				}
			}
		}
		if len(flow)+len(blocks) > maxDepth {
			return fail("values are nested more than %d deep", maxDepth)
		}
	}
	return nil
}
