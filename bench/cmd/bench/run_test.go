package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/bench/scenario"
)

// The whole way: build a broker, start it as a process, measure, and print.
func TestRun(t *testing.T) {
	t.Chdir("../..")
	o, err := parse([]string{"-scenario", "idle,qos1", "-peers", "mochi", "-runs", "2", "-load-core", "-1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.scale = scenario.Scale{Warm: 10 * time.Millisecond, Measure: 100 * time.Millisecond, Pairs: 2, Rate: 500, Idle: 100}
	var out, progress strings.Builder
	if err := run(t.Context(), o, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	for _, want := range []string{"medians of 2 runs", "### qos1: ", "### idle: ", "| CPU per message | µs | ", "| memory per connection | KB | "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if n := strings.Count(progress.String(), "mochi, run"); n != 4 {
		t.Errorf("%d runs, want 4:\n%s", n, progress.String())
	}
}

// What fails is said in the table, and makes the command fail; the rest is measured all the same.
func TestRunReportsFailure(t *testing.T) {
	t.Chdir("../..")
	o := options{peers: []string{"mochi"}, runs: 1, brokerCore: -1, loadCore: -1}
	for _, s := range scenario.All() {
		switch s.Name {
		case "qos0":
			s.Run = func(context.Context, scenario.Target, scenario.Scale) ([]scenario.Metric, error) {
				return nil, io.ErrUnexpectedEOF
			}
		case "qos1":
			s.Run = func(context.Context, scenario.Target, scenario.Scale) ([]scenario.Metric, error) {
				return []scenario.Metric{{Name: "answer", Unit: "x", Value: 42}}, nil
			}
		default:
			continue
		}
		o.scenarios = append(o.scenarios, s)
	}
	var out strings.Builder
	err := run(t.Context(), o, &out, io.Discard)
	if err == nil || err.Error() != "1 measurements failed" {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"mochi failed: unexpected EOF", "| answer | x | 42 |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
