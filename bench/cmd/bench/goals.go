package main

import (
	"fmt"
	"math"
	"strings"
)

// goal is a bound on one of edged's metrics: times a peer's, or absolute when there is no peer.
type goal struct {
	scenario, metric, peer string
	bound                  float64
	// atLeast: the bound is a lower one.
	atLeast bool
}

// goals are what edged is to reach, on the machine where its peers are measured in the same run.
var goals = []goal{
	{"qos0", "CPU per message", "mosquitto", 0.45, false},
	{"qos1", "CPU per message", "mosquitto", 0.40, false},
	{"qos2", "CPU per message", "mosquitto", 0.30, false},
	{"fanout", "QoS 0: CPU per message", "mosquitto", 0.50, false},
	{"fanout", "QoS 1: CPU per message", "mosquitto", 0.50, false},
	{"fanin", "QoS 0: CPU per message", "mosquitto", 0.80, false},
	{"fanin", "QoS 1: CPU per message", "mosquitto", 0.80, false},
	{"qos0", "CPU per message", "mochi", 0.50, false},
	{"qos1", "CPU per message", "mochi", 0.50, false},
	{"qos2", "CPU per message", "mochi", 0.50, false},
	{"fanout", "QoS 0: CPU per message", "mochi", 0.50, false},
	{"fanout", "QoS 1: CPU per message", "mochi", 0.50, false},
	{"fanin", "QoS 0: CPU per message", "mochi", 0.50, false},
	{"fanin", "QoS 1: CPU per message", "mochi", 0.50, false},
	{"qos0", "at 2000/s: latency p50", "mosquitto", 1, false},
	{"qos0", "at 2000/s: latency p99", "mosquitto", 1, false},
	{"qos1", "at 2000/s: latency p50", "mosquitto", 1, false},
	{"qos1", "at 2000/s: latency p99", "mosquitto", 1, false},
	{"qos2", "at 2000/s: latency p50", "mosquitto", 1, false},
	{"qos2", "at 2000/s: latency p99", "mosquitto", 1, false},
	{"idle", "memory per connection", "", 6, false},
	{"retained", "memory per message", "", 0.8, false},
	{"retained", "delivery rate", "", 200_000, true},
	{"subscriptions", "growth of CPU per message, first to last", "", 1.5, false},
	{"offline", "drain: out of order", "", 0, false},
}

// goals says which were met, of those whose scenario was run with edged and the peer. What failed to be measured was not met.
func (r results) goals() string {
	var b strings.Builder
	for _, g := range goals {
		value, what, sign := r.median(g.scenario, "edged", g.metric), "", "≤"
		if g.peer != "" {
			value /= r.median(g.scenario, g.peer, g.metric)
			what = " × " + g.peer
		}
		if r[[2]string{g.scenario, "edged"}] == nil || (g.peer != "" && r[[2]string{g.scenario, g.peer}] == nil) {
			continue
		}
		met := "yes"
		if g.atLeast {
			sign = "≥"
		}
		if (g.atLeast && value < g.bound) || (!g.atLeast && value > g.bound) || math.IsNaN(value) {
			met = "**no**"
		}
		fmt.Fprintf(&b, "| %s: %s | %s %v%s | %s | %s |\n", g.scenario, g.metric, sign, g.bound, what, number(value), met)
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n### Goals\n\n| | goal | measured | met |\n| --- | ---: | ---: | --- |\n" + b.String()
}
