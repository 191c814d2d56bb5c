package modbus

import (
	"cmp"
	"slices"
	"time"

	"github.com/edged/edged/devices"
)

// block is what one request reads: some points that lie near each other.
type block struct {
	kind         kind
	start, count uint16
	points       []*point
	// hole: the device does not know the address of the only point; it is asked for again after this time.
	hole time.Time
	why  string
}

// plan merges the points into few reads. No point is split; between two of them lie at most gap registers, or sixteen
// times as many bits, that nobody wants.
func plan(points []*point, gap, maxRegisters, maxBits int) []*block {
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b *point) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.start, b.start), cmp.Compare(a.count, b.count))
	})
	var blocks []*block
	for _, p := range points {
		reach, limit := gap, maxRegisters
		if p.kind.bits() {
			reach, limit = 16*gap, maxBits
		}
		if len(blocks) > 0 {
			b := blocks[len(blocks)-1]
			end := int(b.start) + int(b.count)
			newEnd := max(end, int(p.start)+int(p.count))
			if b.kind == p.kind && int(p.start) <= end+reach && newEnd-int(b.start) <= limit {
				b.points = append(b.points, p)
				b.count = uint16(newEnd - int(b.start))
				continue
			}
		}
		blocks = append(blocks, &block{kind: p.kind, start: p.start, count: p.count, points: []*point{p}})
	}
	return blocks
}

// halves splits a block of several points in two.
func (b *block) halves(gap, maxRegisters, maxBits int) []*block {
	half := len(b.points) / 2
	return append(plan(b.points[:half], gap, maxRegisters, maxBits), plan(b.points[half:], gap, maxRegisters, maxBits)...)
}

// cut takes a point's registers, or its bit, out of what the block's read returned.
func (b *block) cut(p *point, data []byte) []byte {
	at := int(p.start - b.start)
	if b.kind.bits() {
		return []byte{data[at/8] >> (at % 8) & 1}
	}
	return data[2*at : 2*(at+int(p.count))]
}

// bad makes bad readings of all points.
func (b *block) bad(now time.Time, reason string) (events []devices.Event) {
	for _, p := range b.points {
		events = append(events, devices.Event{Point: p.Name, Unit: p.Unit, Time: now, Quality: devices.Bad, Reason: reason})
	}
	return events
}
