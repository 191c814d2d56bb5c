package access

import (
	"testing"
)

func rules(t *testing.T, rules ...Rule) *Access {
	t.Helper()
	a, _ := open(t, Config{Access: rules})
	return a
}

func TestWithoutRulesEverythingButWritingSys(t *testing.T) {
	g := rules(t).Grants("", "c")
	if !g.Publish("a/b") || !g.Subscribe("#") || !g.Subscribe("$SYS/#") || !g.Receive("$SYS/broker/uptime") || !g.Publish("$SYSTEM") {
		t.Error("something is refused")
	}
	if g.Publish("$SYS") || g.Publish("$SYS/broker/x") {
		t.Error("$SYS may be written")
	}
}

func TestNilGrantsAllowNothing(t *testing.T) {
	var g *Grants
	if g.Publish("a") || g.Subscribe("a") || g.Receive("a") {
		t.Error("something is allowed")
	}
}

func TestFirstRuleDecides(t *testing.T) {
	a := rules(t,
		Rule{User: "meter-*", Publish: []string{"sensors/{client_id}/#"}, Subscribe: []string{"commands/{user}/+", "$SYS/#"}},
		Rule{User: "*", Subscribe: []string{"#"}},
		Rule{Publish: []string{"hello/{user}", "hello/{client_id}"}},
	)
	g := a.Grants("meter-1", "m")
	for name, want := range map[string]bool{"sensors/m/x/y": true, "sensors/m": true, "sensors/n/x": false, "hello/m": false, "": false} {
		if g.Publish(name) != want {
			t.Errorf("meter-1 publishes %q: %v", name, !want)
		}
	}
	for filter, want := range map[string]bool{
		"commands/meter-1/+": true, "commands/meter-1/set": true, "$share/g/commands/meter-1/set": true, "commands/meter-1/#": false,
		"commands/+/set": false, "#": false, "$share/g/#": false, "$SYS/+/x": true, "$share/g/$SYS/#": true,
	} {
		if g.Subscribe(filter) != want {
			t.Errorf("meter-1 subscribes %q: %v", filter, !want)
		}
	}
	if !g.Receive("commands/meter-1/set") || g.Receive("commands/meter-2/set") || g.Receive("sensors/m/x") {
		t.Error("meter-1 receives what it may not subscribe to, or not what it may")
	}
	if g = a.Grants("joe", "m"); !g.Subscribe("a/#") || g.Publish("hello/m") || g.Receive("$SYS/x") {
		t.Error("joe is not under the second rule")
	}
	if g = a.Grants("", "m"); g.Subscribe("a") || !g.Publish("hello/m") || g.Publish("hello/") {
		t.Error("the anonymous client is not under the third rule")
	}
}

func TestNoRuleMatches(t *testing.T) {
	a := rules(t, Rule{User: "*", Publish: []string{"#"}, Subscribe: []string{"#"}})
	if g := a.Grants("", "c"); g == nil || g.Publish("a") || g.Subscribe("a") || g.Receive("a") {
		t.Error("an anonymous client is under a rule for users")
	}
}

// TestHostileNames: what a client calls itself never widens a rule, and never makes the next rule decide.
func TestHostileNames(t *testing.T) {
	a := rules(t,
		Rule{User: "u*", Publish: []string{"{client_id}/{user}", "s/{client_id}/#", "fixed"}, Subscribe: []string{"{client_id}/#", "x{client_id}/#", "{user}{client_id}/y/#"}},
		Rule{Publish: []string{"#"}, Subscribe: []string{"#"}},
	)
	for _, name := range []string{"+", "#", "a/b", "/", "a+", "", "$SYS", "$share", "$", "{user}", "a\x00", "\xff"} {
		g := a.Grants("u", name)
		for _, f := range []string{"#", "+/#", "$SYS/#", "a/b/#", "+/y/#", "x#", "x+/#", "share/y/#", "$share/g/#", "$share/g/$SYS/#", "u/#"} {
			if g.Subscribe(f) {
				t.Errorf("%q may subscribe to %q", name, f)
			}
		}
		for _, n := range []string{"a/b", "b", "s/b/c", "s/a/b", "u/u", "$SYS/u", "s//x"} {
			if g.Publish(n) {
				t.Errorf("%q may publish to %q", name, n)
			}
			if g.Receive(n) {
				t.Errorf("%q may receive %q", name, n)
			}
		}
		if !g.Publish("fixed") {
			t.Errorf("%q may not publish what does not depend on its name", name)
		}
	}
	a = rules(t, Rule{Publish: []string{"p/{user}"}, Subscribe: []string{"{user}share/{client_id}/#", "$SYS/{client_id}"}})
	if g := a.Grants("$", "g"); g.Subscribe("$share/g/#") || g.Subscribe("#") || len(g.subscribe) != 1 || !g.Subscribe("$SYS/g") {
		t.Errorf("a user named $ may subscribe to %q", g.subscribe)
	}
	if g := a.Grants("{client_id}", "c"); !g.Publish("p/{client_id}") || g.Publish("p/c") {
		t.Error("a name was expanded twice")
	}
}

func TestGrantsAllocateNothing(t *testing.T) {
	g := rules(t, Rule{Publish: []string{"a/+/c", "s/{client_id}/#"}, Subscribe: []string{"x", "s/#"}}).Grants("u", "c")
	ok := true
	n := testing.AllocsPerRun(100, func() {
		ok = ok && g.Publish("s/c/x/y") && g.Receive("s/c/x") && g.Subscribe("s/+/x") && g.Subscribe("$share/g/s/c/#") && !g.Publish("t")
	})
	if n != 0 || !ok {
		t.Errorf("%v allocations, right answers: %v", n, ok)
	}
}
