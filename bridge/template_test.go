package bridge

import (
	"strings"
	"testing"

	"github.com/edged/edged/codec/topic"
)

func TestTemplate(t *testing.T) {
	for _, c := range []struct{ template, topic, want string }{
		{"{topic}", "a/b", "a/b"},
		{"sites/berlin/{topic}", "sensors/t", "sites/berlin/sensors/t"},
		{"{topic:2}", "sites/berlin/commands/x", "commands/x"},
		{"{topic:0}", "a", "a"},
		{"{topic:1}", "a", ""},
		{"{topic:1}", "a/", ""}, // an empty level is left: no topic
		{"x/{topic:3}/y", "a/b", ""},
		{"{id}/{topic:1}/{id}", "a/b/c", "gw/b/c/gw"},
		{"fixed", "a/b", "fixed"},
		{"{topic}/{topic:1}", "a/b", "a/b/b"},
		{"{topic:1}", "/a", "a"},
	} {
		tpl, err := parseTemplate(c.template, "gw")
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := tpl.expand(c.topic); got != c.want || !ok && c.want != "" {
			t.Errorf("%s of %s is %q, %v; want %q", c.template, c.topic, got, ok, c.want)
		}
		r := routes{{from: "#", to: tpl}}
		if _, to, problem := r.target(c.topic); to != c.want || (problem == "") != (c.want != "") {
			t.Errorf("route %s of %s: %q, %q", c.template, c.topic, to, problem)
		}
	}
}

// FuzzTemplate: a template that is read never makes a target that is not a topic, and knows what it left out.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{topic}", "a/{topic:2}/{id}", "{", "}", "{topic:}", "{topic:99999}", "{{id}}", "{topic:-1}", ""} {
		f.Add(s, "a/b/c")
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		tpl, err := parseTemplate(s, "gw")
		if err != nil {
			return
		}
		if topic.CheckName(name) != nil {
			return
		}
		out, ok := tpl.expand(name)
		if ok != (tpl.skip() < topic.Levels(name)) {
			t.Errorf("%q of %q: ok is %v", s, name, ok)
		}
		if ok && !strings.ContainsAny(s, "{}") && out != s {
			t.Errorf("%q without placeholders makes %q", s, out)
		}
		if _, to, problem := (routes{{from: "#", to: tpl}}).target(name); problem == "" && topic.CheckName(to) != nil {
			t.Errorf("%q of %q makes %q", s, name, to)
		}
	})
}
