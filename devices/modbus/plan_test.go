package modbus

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// at makes points of a table by start and count.
func at(k kind, spans ...[2]int) (all []*point) {
	for _, s := range spans {
		all = append(all, &point{kind: k, start: uint16(s[0]), count: uint16(s[1])})
	}
	return all
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []*point
		want   string
	}{
		{"adjacent, in any order", at(holding, [2]int{2, 2}, [2]int{0, 2}), "holding 0+4 (2)"},
		{"a gap of eight", at(holding, [2]int{0, 1}, [2]int{9, 1}), "holding 0+10 (2)"},
		{"a gap of nine", at(holding, [2]int{0, 1}, [2]int{10, 1}), "holding 0+1 (1); holding 10+1 (1)"},
		{"overlapping", at(input, [2]int{0, 4}, [2]int{1, 1}, [2]int{3, 2}), "input 0+5 (3)"},
		{"as long as can be", at(holding, [2]int{0, 123}, [2]int{123, 2}), "holding 0+125 (2)"},
		{"never splits a value", at(holding, [2]int{0, 124}, [2]int{124, 2}), "holding 0+124 (1); holding 124+2 (1)"},
		{"bits reach further", at(coil, [2]int{0, 1}, [2]int{129, 1}, [2]int{300, 1}), "coil 0+130 (2); coil 300+1 (1)"},
		{"the last register", at(holding, [2]int{65534, 2}), "holding 65534+2 (1)"},
		{"kinds apart", append(at(holding, [2]int{0, 1}), at(input, [2]int{1, 1})...), "input 1+1 (1); holding 0+1 (1)"},
		{"nothing", nil, ""},
	} {
		got := ""
		for i, b := range plan(c.points, 8, maxRegisters, maxBits) {
			if i > 0 {
				got += "; "
			}
			got += fmt.Sprintf("%s %d+%d (%d)", b.kind, b.start, b.count, len(b.points))
		}
		if got != c.want {
			t.Errorf("%s: %s; want %s", c.name, got, c.want)
		}
	}
}

func TestPlanOfAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		gap, limit := rapid.IntRange(0, 20).Draw(rt, "gap"), rapid.IntRange(8, 125).Draw(rt, "limit")
		var points []*point
		for range rapid.IntRange(0, 60).Draw(rt, "points") {
			k := kind(rapid.IntRange(0, 3).Draw(rt, "kind"))
			count := 1
			if !k.bits() {
				count = rapid.IntRange(1, 8).Draw(rt, "count")
			}
			points = append(points, at(k, [2]int{rapid.IntRange(0, 600).Draw(rt, "start"), count})...)
		}
		found := map[*point]int{}
		for _, b := range plan(points, gap, limit, 16*limit) {
			most := limit
			if b.kind.bits() {
				most = 16 * limit
			}
			if int(b.count) > most {
				rt.Fatalf("a block of %d, the limit is %d", b.count, most)
			}
			for _, p := range b.points {
				found[p]++
				if p.kind != b.kind || p.start < b.start || p.start+p.count > b.start+b.count {
					rt.Fatalf("%+v is not inside of %+v", p, b)
				}
			}
			if len(b.points) > 1 {
				halved := 0
				for _, h := range b.halves(gap, limit, 16*limit) {
					halved += len(h.points)
				}
				if halved != len(b.points) {
					rt.Fatalf("%d points, %d in the halves", len(b.points), halved)
				}
			}
		}
		if len(found) != len(points) {
			rt.Fatalf("%d of %d points are read", len(found), len(points))
		}
	})
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		register string
		address  Number
		base     int
		want     string
	}{
		{"holding", "107", 0, "holding 107"}, {"holding", "107", 1, "holding 106"}, {"input", "0x6B", 0, "input 107"}, {"coil", "0XFFFF", 0, "coil 65535"},
		{"holding", "010", 0, "holding 10"}, {"holding", "40108", 0, "holding 40108"}, {"holding", "65536", 1, "holding 65535"},
		{"", "40108", 0, "holding 107"}, {"", "400108", 1, "holding 107"}, {"", "30001", 0, "input 0"}, {"", "10001", 0, "discrete 0"}, {"", "00001", 0, "coil 0"}, {"", "465536", 0, "holding 65535"},
	} {
		p := Point{Register: c.register, Address: c.address}
		if k, start, err := p.place("", c.base); err != nil || fmt.Sprint(k, " ", start) != c.want {
			t.Errorf("%s %s: %s %d, %v; want %s", c.register, c.address, k, start, err, c.want)
		}
	}
	for _, c := range []struct{ register, address string }{{"", "40000"}, {"", "465537"}, {"", "50001"}, {"", "0x9C41"}, {"", "4010"}, {"holding", "-1"}, {"holding", "1.5"}, {"holding", "400108"}} {
		p := Point{Register: c.register, Address: Number(c.address)}
		if k, start, err := p.place("", 0); err == nil {
			t.Errorf("%s %s was taken as %s %d", c.register, c.address, k, start)
		}
	}
}
