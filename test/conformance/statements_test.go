package conformance

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sections are all cases, in the order of the standard.
var sections = [][]testCase{
	dataCases, connectCases, willCases, sessionCases, connackCases, publishCases, propertyCases, ackCases, subscribeCases, endCases, qosCases, topicCases, authCases,
}

// TestStatements runs every case in each of its versions.
func TestStatements(t *testing.T) {
	for _, c := range slices.Concat(sections...) {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range c.versions {
				t.Run(v.String(), func(t *testing.T) { play(t, c.name, v, c.run) })
			}
		})
	}
}

//go:embed statements.tsv
var table string

// statement is a line of the table.
type statement struct{ version, number, verdict, words string }

func (s statement) String() string { return s.version + " " + s.number }

func readTable(t *testing.T) (list []statement) {
	for n, line := range strings.Split(table, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 || f[3] == "" {
			t.Errorf("statements.tsv:%d: not version, statement, verdict and words: %q", n+1, line)
			continue
		}
		list = append(list, statement{f[0], f[1], f[2], f[3]})
	}
	return list
}

// TestTable holds the table and the cases against each other.
func TestTable(t *testing.T) {
	tried := map[string]bool{} // by the name of the case: whether the table names it
	for _, c := range slices.Concat(sections...) {
		if _, twice := tried[c.name]; twice {
			t.Errorf("%s: two cases have this name", c.name)
		}
		tried[c.name] = false
	}
	seen, count := map[string]bool{}, map[string]int{}
	for _, s := range readTable(t) {
		if seen[s.String()] {
			t.Errorf("%v is listed twice", s)
		}
		seen[s.String()] = true
		switch reason, not := strings.CutPrefix(s.verdict, "not covered: "); {
		case s.verdict == "client":
			count["client"]++
		case not && reason != "":
			count["not covered"]++
		default:
			if _, ok := tried[s.verdict]; !ok {
				t.Errorf("%v: there is no case %q", s, s.verdict)
			}
			tried[s.verdict] = true
			count["tested"]++
		}
	}
	for name, listed := range tried {
		if !listed {
			t.Errorf("the case %q is not in statements.tsv", name)
		}
	}
	t.Log(count)
}

// TestTableIsWhole: the last number of each section that has more than one statement, so that no line gets lost.
func TestTableIsWhole(t *testing.T) {
	listed := map[string]bool{}
	for _, s := range readTable(t) {
		listed[s.String()] = true
	}
	for version, sections := range numbers {
		for section, last := range sections {
			first := 1
			if version == "5.0" && section == "2.2.1" {
				first = 2 // there is no MQTT-2.2.1-1
			}
			for n := first; n <= last; n++ {
				if s := fmt.Sprintf("%s MQTT-%s-%d", version, section, n); !listed[s] {
					t.Errorf("%s is missing", s)
				}
			}
		}
	}
}

// numbers say how many statements each section of the standards has.
var numbers = map[string]map[string]int{
	"5.0": {
		"1.5.4": 3, "1.5.5": 1, "1.5.7": 1, "2.1.3": 1, "2.2.1": 6, "2.2.2": 1,
		"3.1.0": 2, "3.1.2": 30, "3.1.3": 12, "3.1.4": 6, "3.2.0": 2, "3.2.2": 22,
		"3.3.1": 13, "3.3.2": 20, "3.3.4": 10, "3.4.2": 3, "3.5.2": 3, "3.6.1": 1, "3.6.2": 3, "3.7.2": 3,
		"3.8.1": 1, "3.8.3": 5, "3.8.4": 8, "3.9.2": 2, "3.9.3": 2, "3.10.1": 1, "3.10.3": 2, "3.10.4": 6, "3.11.2": 2, "3.11.3": 2,
		"3.12.4": 1, "3.14.0": 1, "3.14.1": 1, "3.14.2": 4, "3.14.4": 3, "3.15.1": 1, "3.15.2": 3,
		"4.1.0": 2, "4.2.0": 1, "4.3.1": 1, "4.3.2": 5, "4.3.3": 13, "4.4.0": 2, "4.5.0": 2, "4.6.0": 6,
		"4.7.0": 1, "4.7.1": 2, "4.7.2": 1, "4.7.3": 4, "4.8.2": 6, "4.9.0": 3, "4.12.0": 7, "4.12.1": 2, "4.13.1": 1, "4.13.2": 1, "6.0.0": 4,
	},
	"3.1.1": {
		"1.5.3": 3, "2.2.2": 2, "2.3.1": 7, "3.1.0": 2, "3.1.2": 24, "3.1.3": 11, "3.1.4": 5, "3.2.0": 1, "3.2.2": 6,
		"3.3.1": 12, "3.3.2": 3, "3.3.4": 1, "3.3.5": 2, "3.6.1": 1, "3.8.1": 1, "3.8.3": 3, "3.8.4": 6, "3.9.3": 2,
		"3.10.1": 1, "3.10.3": 2, "3.10.4": 6, "3.12.4": 1, "3.14.1": 1, "3.14.4": 3,
		"4.1.0": 2, "4.2.0": 1, "4.3.1": 1, "4.3.2": 2, "4.3.3": 2, "4.4.0": 1, "4.5.0": 2, "4.6.0": 6,
		"4.7.1": 3, "4.7.2": 1, "4.7.3": 4, "4.8.0": 2, "6.0.0": 4, "7.0.0": 2,
	},
}
