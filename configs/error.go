package configs

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Error is one mistake in a configuration, with its place.
type Error struct {
	// File is the file's name as it was given; empty for a configuration that was made in code.
	File string
	// Line and Column are counted from 1, the column in characters; both 0 without a file.
	Line, Column int
	// Key is the path of the key or the section it is about: "broker.listeners[0].url"; empty: the whole file.
	Key string
	// Problem says what was found, what is expected, and what to do.
	Problem string
	// Source is the line as it stands in the file, with secrets masked.
	Source string
}

// Error gives the place and the problem on one line, then the source line, then a caret under the column.
func (e *Error) Error() string {
	if e.Source == "" {
		return e.summary()
	}
	line, column := window(e.Source, e.Column)
	return fmt.Sprintf("%s\n    %s\n    %s^", e.summary(), line, strings.Repeat(" ", column-1))
}

// summary is the first line of the message: `edged.yaml:2:3: broker: unknown key "lisseners"`.
func (e *Error) summary() string {
	var b strings.Builder
	if e.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Problem)
	return b.String()
}

// windowWidth is the number of characters of a source line that are shown.
const windowWidth = 120

// window cuts a long line around column, counted from 1, and returns the column's place in what is left.
func window(line string, column int) (shown string, at int) {
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(line, "?"), "\t", " "))
	column = max(1, min(column, len(runes)+1))
	if len(runes) <= windowWidth {
		return string(runes), column
	}
	start := max(0, min(column-windowWidth/2, len(runes)-windowWidth))
	return string(runes[start : start+windowWidth]), column - start
}

// Errors are all mistakes of a configuration, in the order of files and lines.
type Errors []*Error

// Error lists all of them, each on lines of its own.
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap lets errors.As find each Error.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// maxErrors bounds what one run reports: nobody reads more, and a hostile file must not make megabytes of messages.
const maxErrors = 100

// join makes one error of es, without repetitions, sorted by file (in the order they were read), line and column; nil
// when there are none.
func join(es []*Error, files []string) error {
	if len(es) == 0 {
		return nil
	}
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f] = i
	}
	sort.SliceStable(es, func(i, j int) bool {
		a, b := es[i], es[j]
		if a.File != b.File {
			return order[a.File] < order[b.File]
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	seen := make(map[Error]bool, len(es)) // by place and problem: through aliases one place has several keys
	var out Errors
	for _, e := range es {
		same := *e
		if same.Key = ""; same.File == "" {
			same.Key = e.Key
		}
		if seen[same] {
			continue
		}
		seen[same] = true
		if len(out) == maxErrors {
			out = append(out, &Error{File: e.File, Line: e.Line, Column: e.Column, Source: e.Source,
				Problem: fmt.Sprintf("more than %d mistakes; the rest is not shown", maxErrors)})
			break
		}
		out = append(out, e)
	}
	return out
}

// quote shows a value in a message, cut when it is long.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
