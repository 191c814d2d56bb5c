package buffer

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strconv"
)

// Badger's write-ahead log, one a memtable (memtable.go and structs.go of v4.9.6):
//
//	key id 8 | random 12 | records…
//	record: meta 1 | user meta 1 | key length | value length | expiry | key and version | value | CRC-32C 4
//
// where lengths and expiry are varints, and the version is math.MaxUint64 less the transaction's number. All records of
// a transaction have walTxn, and one with walFin and the number as text follows them. Values from valueThreshold on are
// in the value log, and a pointer stands for them. Zeros are the end.
const (
	walHeader = 20
	walTxn    = 1 << 6
	walFin    = 1 << 7
	walFinKey = "!badger!txn"
	walSize   = 2 << 20 // of the file, until Badger cuts it at the next start
	// walUnflushed is about how much a power cut can leave half written.
	walUnflushed = 256 << 10
)

// walRecord is where a record is in the log.
type walRecord struct {
	at, end int
	meta    byte
	txn     uint64
}

// walFrame reads where a record at that place would end; ok says that it looks like one of ours.
func walFrame(b []byte, at int) (r walRecord, key, value int, ok bool) {
	r = walRecord{at: at}
	if len(b)-at < 2+3+1+8+4 || b[at+1] != 0 {
		return r, 0, 0, false
	}
	r.meta = b[at]
	p := at + 2
	var n [3]uint64
	for i := range n {
		v, used := binary.Uvarint(b[p:min(len(b), p+10)])
		if used <= 0 {
			return r, 0, 0, false
		}
		n[i], p = v, p+used
	}
	if n[0] < 9 || n[0] > 1<<16 || n[1] >= valueThreshold || n[2] != 0 || uint64(len(b)-p) < n[0]+n[1]+4 {
		return r, 0, 0, false
	}
	key, value = p, p+int(n[0])
	switch b[key] {
	case keyMeta, keyName, keyState, keyDeleted, keySegment, keyRecord, keyGarbage, walFinKey[0]:
	default:
		return r, 0, 0, false
	}
	r.end = value + int(n[1]) + 4
	r.txn = math.MaxUint64 - binary.BigEndian.Uint64(b[value-8:])
	return r, key, value, true
}

// walAt reads the record at that place, if it is a valid one.
func walAt(b []byte, at int) (walRecord, bool) {
	r, _, _, ok := walFrame(b, at)
	if !ok || crc32.Checksum(b[at:r.end-4], castagnoli) != binary.BigEndian.Uint32(b[r.end-4:]) {
		return r, false
	}
	return r, true
}

// walNext looks for the next valid record behind a bad one.
func walNext(b []byte, bad int) (walRecord, bool) {
	from := bad + 1
	if r, _, _, ok := walFrame(b, bad); ok {
		// Its lengths may be right. What is inside of it was written by strangers, and is none of the log's.
		if next, ok := walAt(b, r.end); ok {
			return next, true
		}
		if zero(b[r.end:min(len(b), r.end+2)]) {
			from = r.end
		}
	}
	for at := from; at < len(b); at++ {
		if r, ok := walAt(b, at); ok {
			return r, true
		}
	}
	return walRecord{}, false
}

// walContents is what can be read of a log.
type walContents struct {
	records []walRecord
	end     int  // of the last valid record
	bad     int  // bytes that are not readable, before the end, and behind it when the log was cut
	cut     bool // it ends in the middle
	torn    bool // what is missing are whole blocks near the end: a power cut, not damage
}

// readWAL finds all valid records of a log, those behind damage too.
func readWAL(b []byte) (c walContents) {
	c.end = walHeader
	if len(b) < walHeader {
		c.cut = len(b) > 0
		return c
	}
	if !zero(b[:8]) {
		c.bad += 8 // there is no encryption
	}
	holes, blocks := 0, true
	first := 0
	for {
		r, ok := walAt(b, c.end)
		if !ok {
			if r, ok = walNext(b, c.end); !ok {
				break
			}
			c.bad += r.at - c.end
			if holes++; holes == 1 {
				first = c.end
			}
			blocks = blocks && lacksBlock(b[:r.at], c.end)
		}
		c.records = append(c.records, r)
		c.end = r.end
	}
	c.torn = holes > 0 && blocks && zero(b[:8]) && c.end-first <= walUnflushed
	if len(b) < walSize {
		n := len(c.records)
		c.cut = c.end < len(b) || n > 0 && c.records[n-1].meta&walTxn != 0
		c.bad += len(b) - c.end
	}
	return c
}

// lacksBlock says whether a block of the file, from that place on, was never written.
func lacksBlock(b []byte, from int) bool {
	const block = 1 << 10 // no record holds as many zeros: bigger values are in the value log
	for at := (from + block - 1) / block * block; at+block <= len(b); at += block {
		if zero(b[at : at+block]) {
			return true
		}
	}
	return false
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// damaged says whether something was in the log that Badger would drop in silence. A torn end is no damage: that is how
// a kill or a power cut leaves what was not acknowledged.
func (c *walContents) damaged() bool { return !c.torn && (c.bad > 0 || c.cut) }

// mended gives a log of all valid records. A transaction that lacks some stays in: what its queues miss is seen by
// their states. One that was never finished goes, unless others follow it or the log was cut in it.
func (c *walContents) mended(b []byte) []byte {
	out := make([]byte, walHeader, c.end+walHeader)
	open, keep := uint64(0), walHeader // an unfinished transaction, and what stays without it
	finish := func() {
		if open != 0 {
			out = appendWALEnd(out, open)
		}
		open, keep = 0, len(out)
	}
	for _, r := range c.records {
		switch {
		case r.meta&walFin != 0:
			finish()
			continue
		case r.meta&walTxn == 0:
			finish()
		case open != r.txn:
			finish()
			open = r.txn
		}
		out = append(out, b[r.at:r.end]...)
		if open == 0 {
			keep = len(out)
		}
	}
	if !c.cut {
		return out[:keep]
	}
	finish()
	return out
}

// appendWALEnd appends the record that ends a transaction.
func appendWALEnd(b []byte, txn uint64) []byte {
	at := len(b)
	text := strconv.AppendUint(nil, txn, 10)
	b = append(b, walFin, 0, byte(len(walFinKey)+8), byte(len(text)), 0)
	b = append(b, walFinKey...)
	b = binary.BigEndian.AppendUint64(b, math.MaxUint64-txn)
	b = append(b, text...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}
