package buffer

import (
	"encoding/binary"
	"time"
)

// The kinds of keys, each a first byte. Queues go by a number that is never used again.
//
//	m                                              meta: generation, serial, sequence base, last queue number
//	n | queue 4                                    the queue's name
//	q | queue 4                                    the queue's state record
//	d | queue 4                                    the queue was deleted, its segments are not all gone yet
//	s | queue 4 | first 8 | part 1 | count 2 | bytes 4 | first time 6 | last time 6    a segment, or a part of a big one
//	r | key                                        a record
//	g                                              throw-away key of the maintenance
const (
	keyMeta    = 'm'
	keyName    = 'n'
	keyState   = 'q'
	keyDeleted = 'd'
	keySegment = 's'
	keyRecord  = 'r'
	keyGarbage = 'g'
)

const segmentKeySize = 1 + 4 + 8 + 1 + 2 + 4 + 6 + 6

// maxPart is how much of a segment goes under one key: Badger refuses values above its ValueLogFileSize of 4 MiB.
const maxPart = 2 << 20

// segment describes what one commit gave to one queue. All of it is in the key, so that the bounds are kept and drained
// segments deleted by looking at keys alone.
type segment struct {
	queue     uint32
	first     uint64 // sequence number of its first message
	count     uint16 // messages
	bytes     uint32 // encoded length of them all
	firstTime int64  // Unix milliseconds of the first and the last message; 0: unknown
	lastTime  int64
}

func (g segment) end() uint64 { return g.first + uint64(g.count) }

// parts says over how many keys the segment is spread.
func (g segment) parts() int { return max(1, (int(g.bytes)+maxPart-1)/maxPart) }

func (g segment) key(part byte) []byte {
	k := make([]byte, 0, segmentKeySize)
	k = append(k, keySegment)
	k = binary.BigEndian.AppendUint32(k, g.queue)
	k = binary.BigEndian.AppendUint64(k, g.first)
	k = append(k, part)
	k = binary.BigEndian.AppendUint16(k, g.count)
	k = binary.BigEndian.AppendUint32(k, g.bytes)
	k = appendUint48(k, g.firstTime)
	return appendUint48(k, g.lastTime)
}

func parseSegmentKey(k []byte) (g segment, part byte, ok bool) {
	if len(k) != segmentKeySize || k[0] != keySegment {
		return segment{}, 0, false
	}
	g = segment{
		queue:     binary.BigEndian.Uint32(k[1:]),
		first:     binary.BigEndian.Uint64(k[5:]),
		count:     binary.BigEndian.Uint16(k[14:]),
		bytes:     binary.BigEndian.Uint32(k[16:]),
		firstTime: uint48(k[20:]),
		lastTime:  uint48(k[26:]),
	}
	return g, k[13], g.count > 0
}

// segmentSeek is where an iterator finds the first segment that begins at seq or later.
func segmentSeek(queue uint32, seq uint64) []byte {
	k := numberedKey(keySegment, queue)
	return binary.BigEndian.AppendUint64(k, seq)
}

func numberedKey(kind byte, queue uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, queue)
}

func parseNumberedKey(k []byte) (uint32, bool) {
	if len(k) != 5 {
		return 0, false
	}
	return binary.BigEndian.Uint32(k[1:]), true
}

func recordKey(key string) []byte { return append([]byte{keyRecord}, key...) }

func appendUint48(b []byte, v int64) []byte {
	v = min(max(v, 0), 1<<48-1)
	return append(b, byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func uint48(b []byte) int64 {
	return int64(b[0])<<40 | int64(b[1])<<32 | int64(b[2])<<24 | int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
}

// millis is a time as segment keys hold it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
