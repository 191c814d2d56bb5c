package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/edged/edged/bench/scenario"
)

func measured(values map[string][]float64) results {
	r := results{}
	for broker, vs := range values {
		for _, v := range vs {
			r.add("qos0", broker, []scenario.Metric{{Name: "throughput", Unit: "msg/s", Value: 1e6 / v, More: true}, {Name: "CPU per message", Unit: "µs", Value: v}}, nil)
		}
	}
	return r
}

func TestTableShowsMediansAndRatios(t *testing.T) {
	r := measured(map[string][]float64{"edged": {9, 4, 5}, "mosquitto": {10, 12, 11}})
	r.add("qos0", "mochi", nil, errors.New("it lost 3 messages"))
	r.add("qos0", "mochi", []scenario.Metric{{Name: "CPU per message", Value: 1}}, nil)
	got := r.table(scenario.Scenario{Name: "qos0", About: func(s scenario.Scale) string { return fmt.Sprint(s.Pairs, " pairs") }}, scenario.Scale{Pairs: 7}, []string{"edged", "mosquitto", "mochi"})
	want := `
### qos0: 7 pairs

|  | unit | edged | mosquitto | mochi | edged / mosquitto | edged / mochi |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
| throughput ↑ | msg/s | 200000 | 90909 | – | 2.20 | – |
| CPU per message | µs | 5 | 11 | – | 0.45 | – |

mochi failed: it lost 3 messages
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGoals(t *testing.T) {
	r := measured(map[string][]float64{"edged": {5}, "mosquitto": {10}, "mochi": {10}})
	r.add("retained", "edged", []scenario.Metric{{Name: "delivery rate", Value: 200_000}, {Name: "memory per message", Value: 0.9}}, nil)
	got := r.goals()
	for _, want := range []string{
		"| qos0: CPU per message | ≤ 0.45 × mosquitto | 0.5 | **no** |",
		"| qos0: CPU per message | ≤ 0.5 × mochi | 0.5 | yes |",
		"| retained: delivery rate | ≥ 200000 | 200000 | yes |",
		"| retained: memory per message | ≤ 0.8 | 0.9 | **no** |",
		"| qos0: at 2000/s: latency p50 | ≤ 1 × mosquitto | – | **no** |", // the scenario ran, and did not measure it
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n| "); n != 8 { // head and rule too
		t.Errorf("%d lines, want 8: goals whose scenarios were not run are not listed\n%s", n, got)
	}
	if got := (results{}).goals(); got != "" {
		t.Errorf("nothing measured: %q", got)
	}
}

// A goal that names no scenario, or one twice, would never be missed.
func TestGoalsNameScenarios(t *testing.T) {
	known := map[string]bool{}
	for _, s := range scenario.All() {
		known[s.Name] = true
	}
	seen := map[goal]bool{}
	for _, g := range goals {
		if !known[g.scenario] || seen[g] {
			t.Errorf("%+v: unknown scenario, or twice", g)
		}
		seen[g] = true
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-scenario", "qos1,idle", "-runs", "2", "-peers", "mochi", "-quick"}, io.Discard)
	if err != nil || len(o.scenarios) != 2 || o.scenarios[0].Name != "qos1" || o.runs != 2 || len(o.peers) != 1 || o.scale.Measure != scenario.Quick().Measure {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := parse(nil, io.Discard); err != nil || len(o.scenarios) != len(scenario.All()) || len(o.peers) != 3 || o.runs != 3 {
		t.Errorf("defaults: %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-scenario", "qos3"}, {"-runs", "0"}, {"-nonsense"}} {
		var said strings.Builder
		if _, err := parse(args, &said); err == nil || said.Len() == 0 {
			t.Errorf("%q: %v, said %q", args, err, said.String())
		}
	}
	if _, err := build(t.Context(), t.TempDir(), []string{"hivemq"}); err == nil || !strings.Contains(err.Error(), "edged, mosquitto and mochi") {
		t.Errorf("unknown broker: %v", err)
	}
}
