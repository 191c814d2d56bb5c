package broker

import (
	"testing"

	"pgregory.net/rapid"
)

func TestInflightAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f inflight
		model := map[uint16]uint64{}
		seq := rapid.Uint64Range(1, 1<<40).Draw(t, "first")
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			id := packetID(seq)
			if rapid.Bool().Draw(t, "add") {
				if f.fits(seq) {
					if _, taken := model[id]; taken {
						t.Fatalf("%d fits, but its identifier is in use", seq)
					}
					f.add(flight{seq: seq, qos: 1})
					model[id] = seq
				}
				seq += rapid.Uint64Range(1, 30_000).Draw(t, "gap")
				continue
			}
			for id := range model {
				f.complete(f.find(id))
				delete(model, id)
				break
			}
			for id, want := range model {
				if x := f.find(id); x == nil || x.seq != want {
					t.Fatalf("identifier %d: %v, want %d", id, x, want)
				}
			}
			if f.open != len(model) || len(model) == 0 && f.items != nil {
				t.Fatalf("%d open of %d", f.open, len(model))
			}
		}
		for _, id := range []uint16{0, 60_001, 65_535} {
			if f.find(id) != nil {
				t.Fatalf("identifier %d is found", id)
			}
		}
	})
}
