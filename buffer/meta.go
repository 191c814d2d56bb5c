package buffer

import "encoding/binary"

// meta is the store's own record.
type meta struct {
	generation uint64 // how often it was opened
	serial     uint64 // how often the marker was written
	base       uint64 // sequence numbers of new queues begin above it
	clean      uint64 // 1: it was closed in order
}

const metaVersion = 1

func (m meta) change() change {
	key := []byte{keyMeta}
	b := []byte{metaVersion}
	for _, v := range [...]uint64{m.generation, m.serial, m.base, m.clean} {
		b = binary.AppendUvarint(b, v)
	}
	return change{key, sealed(key, b)}
}

func parseMeta(b []byte) (meta, error) {
	r := reader{b: b}
	if r.byte() != metaVersion {
		return meta{}, errDamaged
	}
	m := meta{r.uvarint(), r.uvarint(), r.uvarint(), r.uvarint()}
	if r.bad || len(r.b) != 0 {
		return meta{}, errDamaged
	}
	return m, nil
}
