package topic

import (
	"fmt"
	"runtime"
	"testing"
)

var filterCounts = []int{1_000, 10_000, 100_000}

// mixed are filters as gateways have them: most exact, some with wildcards, one level with a large fan-out.
func mixed(n int) []string {
	fs := make([]string, n)
	for i := range fs {
		switch i % 10 {
		case 0:
			fs[i] = fmt.Sprintf("sites/%d/devices/+/voltage", i)
		case 1:
			fs[i] = fmt.Sprintf("sites/%d/#", i)
		default:
			fs[i] = fmt.Sprintf("sites/%d/devices/%d/voltage", i/100, i)
		}
	}
	return fs
}

func BenchmarkTrieMatch(b *testing.B) {
	for _, n := range filterCounts {
		var trie Trie[*int]
		for _, f := range mixed(n) {
			trie.Add(f, new(int))
		}
		trie.Add("sites/+/devices/+/voltage", new(int))
		trie.Add("#", new(int))
		probes := make([]string, 1024)
		for i := range probes {
			k := i * 7919 % n
			probes[i] = fmt.Sprintf("sites/%d/devices/%d/voltage", k/100, k)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var dst []*int
			i := 0
			for b.Loop() {
				dst = trie.Match(dst[:0], probes[i%len(probes)])
				i++
			}
		})
	}
}

func BenchmarkTrieAddRemove(b *testing.B) {
	for _, n := range filterCounts {
		var trie Trie[*int]
		fs := mixed(n)
		for _, f := range fs {
			trie.Add(f, nil)
		}
		v := new(int)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				trie.Add(fs[i%n], v)
				trie.Remove(fs[i%n], v)
				i++
			}
		})
	}
}

func BenchmarkTrieBuild(b *testing.B) {
	for _, n := range filterCounts {
		fs := mixed(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			before := heap()
			var trie Trie[*int]
			for b.Loop() {
				trie = Trie[*int]{}
				for _, f := range fs {
					trie.Add(f, nil)
				}
			}
			b.ReportMetric(float64(heap()-before)/float64(n), "B/filter")
			runtime.KeepAlive(&trie)
		})
	}
}

func BenchmarkNamesSet(b *testing.B) {
	var n Names[int]
	name := "devices/boiler/voltage"
	b.ReportAllocs()
	for b.Loop() {
		n.Set(name, 1)
	}
}
