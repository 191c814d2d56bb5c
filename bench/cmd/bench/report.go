package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/edged/edged/bench/scenario"
	"github.com/edged/edged/bench/stat"
)

// series is all that was measured of one broker in one scenario.
type series struct {
	// metrics are those of the first run that succeeded, for their names, units and order.
	metrics []scenario.Metric
	values  map[string][]float64
	err     error
}

// results holds series by scenario and broker.
type results map[[2]string]*series

func (r results) add(scenario, broker string, metrics []scenario.Metric, err error) {
	key := [2]string{scenario, broker}
	s := r[key]
	if s == nil {
		s = &series{values: map[string][]float64{}}
		r[key] = s
	}
	if err != nil {
		s.err = err
		return
	}
	if s.metrics == nil {
		s.metrics = metrics
	}
	for _, m := range metrics {
		s.values[m.Name] = append(s.values[m.Name], m.Value)
	}
}

// median of a metric; NaN when it was not measured, or when any run failed: who loses messages has no figures.
func (r results) median(scenario, broker, metric string) float64 {
	s := r[[2]string{scenario, broker}]
	if s == nil || s.err != nil {
		return math.NaN()
	}
	return stat.Median(s.values[metric])
}

// table is one scenario's: a line a metric, a column a broker, and the first broker's ratio to each other.
func (r results) table(s scenario.Scenario, scale scenario.Scale, brokers []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s: %s\n\n", s.Name, s.About(scale))
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	head, rule := []string{"", "unit"}, []string{"---", "---"}
	for _, k := range brokers {
		head, rule = append(head, k), append(rule, "---:")
	}
	for _, k := range brokers[1:] {
		head, rule = append(head, brokers[0]+" / "+k), append(rule, "---:")
	}
	line(head)
	line(rule)
	for _, m := range r.names(s.Name, brokers) {
		name := m.Name
		if m.More {
			name += " ↑"
		}
		cells := []string{name, m.Unit}
		for _, k := range brokers {
			cells = append(cells, number(r.median(s.Name, k, m.Name)))
		}
		for _, k := range brokers[1:] {
			cells = append(cells, ratio(r.median(s.Name, brokers[0], m.Name)/r.median(s.Name, k, m.Name)))
		}
		line(cells)
	}
	for _, k := range brokers {
		if s := r[[2]string{s.Name, k}]; s != nil && s.err != nil {
			fmt.Fprintf(&b, "\n%s failed: %v\n", k, s.err)
		}
	}
	return b.String()
}

// names are the metrics of the first broker that has any.
func (r results) names(scenario string, brokers []string) []scenario.Metric {
	for _, k := range brokers {
		if s := r[[2]string{scenario, k}]; s != nil && s.metrics != nil {
			return s.metrics
		}
	}
	return nil
}

// number writes three significant digits, and whole numbers from a hundred on.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func ratio(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

// machine says where, when and how it was measured.
func machine(o options) string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for l := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(l, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	scale := "full"
	if o.quick {
		scale = "quick"
	}
	return fmt.Sprintf("%s. %s, %d cores; broker on core %d, load generator on core %d; %s scale, medians of %d runs; load average before: %s",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), model, runtime.NumCPU(), o.brokerCore, o.loadCore, scale, o.runs, strings.TrimSpace(string(load)))
}
