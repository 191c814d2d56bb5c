package bridge

import (
	"fmt"
	"strconv"
	"strings"
)

// template makes one topic out of another. Its parts are put together in order.
type template []part

// part is literal text, or the topic without its first skip levels.
type part struct {
	text  string
	topic bool
	skip  int
}

// maxSkip bounds N in {topic:N}; a topic has no more levels.
const maxSkip = 65535

// parseTemplate reads text with {topic}, {topic:N} and {id}.
func parseTemplate(s, id string) (template, error) {
	var t template
	for s != "" {
		open := strings.IndexAny(s, "{}")
		if open < 0 {
			return append(t, part{text: s}), nil
		}
		if open > 0 {
			t = append(t, part{text: s[:open]})
		}
		end := strings.IndexByte(s[open:], '}')
		if s[open] == '}' || end < 0 {
			return nil, fmt.Errorf("%q has a brace without its partner; write {topic}, {topic:N} or {id}", s)
		}
		name := s[open+1 : open+end]
		s = s[open+end+1:]
		switch number, levels := strings.CutPrefix(name, "topic:"); {
		case name == "id":
			t = append(t, part{text: id})
		case name == "topic":
			t = append(t, part{topic: true})
		case levels:
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("{%s}: N is a number of levels, 0 to %d, such as {topic:2}", name, maxSkip)
			}
			t = append(t, part{topic: true, skip: int(n)})
		default:
			return nil, fmt.Errorf("{%s} is not known; write {topic}, {topic:N} or {id}", name)
		}
	}
	return t, nil
}

// expand makes the topic; ok is false when a {topic:N} has nothing left of it.
func (t template) expand(topic string) (out string, ok bool) {
	if len(t) == 1 && t[0].topic && t[0].skip == 0 {
		return topic, true
	}
	var b strings.Builder
	for _, p := range t {
		if !p.topic {
			b.WriteString(p.text)
			continue
		}
		rest, ok := skipLevels(topic, p.skip)
		if !ok {
			return "", false
		}
		b.WriteString(rest)
	}
	return b.String(), true
}

// skip is the largest N in the template's {topic:N}.
func (t template) skip() int {
	most := 0
	for _, p := range t {
		most = max(most, p.skip)
	}
	return most
}

// skipLevels leaves out the first n levels; ok is false when there are not more than n.
func skipLevels(topic string, n int) (rest string, ok bool) {
	for ; n > 0; n-- {
		var found bool
		if _, topic, found = strings.Cut(topic, "/"); !found {
			return "", false
		}
	}
	return topic, true
}
