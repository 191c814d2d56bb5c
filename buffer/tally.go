package buffer

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
)

// tally keeps up with the queues between two markers: a file that every commit writes to, without a flush of its own.
// What the kernel has of it outlives the process; after a power cut it may be older, but it is never ahead of the store,
// which is flushed first.
//
//	magic 8 | generation 8 | serial 8 | checksum 4, and for each queue that got messages since that marker
//	length of the name 4 | queue 4 | cursor 8 | next 8 | messages 8 | bytes 8 | name | checksum 4
type tally struct {
	path  string
	file  *os.File
	slots map[*queue]int64 // where a queue is noted
	end   int64
	off   bool // it could not be written: until the next marker there is none
}

const (
	tallyMagic  = "edgedtly"
	tallyHeader = 8 + 8 + 8 + 4
	tallyFixed  = 4 + 4 + 8 + 8 + 8 + 8
	// tallyMax bounds the file: some ten thousand queues.
	tallyMax = 4 << 20
)

// noted is how a queue stands. Under the store's lock.
func (q *queue) noted() markedQueue {
	return markedQueue{q.name, q.id, q.cursor, q.next, q.messages, q.bytes}
}

// note has the tally keep up with a group that is committed.
func (s *Store) note(g *group) {
	s.mu.Lock()
	stand := make([]markedQueue, len(g.saved))
	for i, q := range g.saved {
		stand[i] = q.noted()
	}
	s.mu.Unlock()
	for i, q := range g.saved {
		s.noteOne(q, stand[i])
	}
}

func (s *Store) noteOne(q *queue, m markedQueue) {
	if err := s.tally.note(q, m); err != nil {
		s.log.Warn("cannot keep up the tally of the queues; if the store is damaged, what came in the meantime is not counted", "err", err)
	}
}

func withSum(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// soundSum says whether b ends with its checksum.
func soundSum(b []byte) bool {
	n := len(b) - 4
	return crc32.Checksum(b[:n], castagnoli) == binary.BigEndian.Uint32(b[n:])
}

// begin makes the file an empty one that belongs to a marker.
func (t *tally) begin(generation, serial uint64) (err error) {
	t.slots, t.end, t.off = map[*queue]int64{}, tallyHeader, true
	if t.file == nil {
		if t.file, err = os.OpenFile(t.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
			return err
		}
	}
	if err := t.file.Truncate(0); err != nil {
		return err
	}
	b := binary.BigEndian.AppendUint64([]byte(tallyMagic), generation)
	if _, err := t.file.WriteAt(withSum(binary.BigEndian.AppendUint64(b, serial)), 0); err != nil {
		return err
	}
	t.off = false
	return nil
}

// note writes how a queue stands; a deleted one has no numbers.
func (t *tally) note(q *queue, m markedQueue) error {
	if t.off || len(m.Name) > 1<<10 {
		return nil
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(m.Name)))
	b = binary.BigEndian.AppendUint32(b, m.ID)
	for _, v := range [...]uint64{m.Cursor, m.Next, m.Messages, m.Bytes} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = withSum(append(b, m.Name...))
	at, ok := t.slots[q]
	if !ok {
		if t.end+int64(len(b)) > tallyMax {
			return nil
		}
		at = t.end
	}
	if _, err := t.file.WriteAt(b, at); err != nil {
		t.off = true
		return err
	}
	if !ok {
		t.slots[q] = at
		t.end += int64(len(b))
	}
	return nil
}

func (t *tally) close() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	return err
}

// readTally gives what was noted since the marker of that generation and serial: nothing, when the file is missing,
// damaged or of an older marker.
func readTally(path string, m *marker) ([]markedQueue, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	generation, serial, queues := parseTally(b)
	if generation != m.Generation || serial < m.Serial {
		return nil, nil
	}
	return queues, nil
}

func parseTally(b []byte) (generation, serial uint64, queues []markedQueue) {
	if len(b) < tallyHeader || string(b[:8]) != tallyMagic || !soundSum(b[:tallyHeader]) {
		return 0, 0, nil
	}
	generation, serial = binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
	for b = b[tallyHeader:]; len(b) >= tallyFixed+4; {
		name := binary.BigEndian.Uint32(b)
		if name > 1<<10 || int(name) > len(b)-tallyFixed-4 {
			break
		}
		size := tallyFixed + int(name) + 4
		if soundSum(b[:size]) {
			queues = append(queues, markedQueue{
				Name: string(b[tallyFixed : size-4]), ID: binary.BigEndian.Uint32(b[4:]),
				Cursor: binary.BigEndian.Uint64(b[8:]), Next: binary.BigEndian.Uint64(b[16:]),
				Messages: binary.BigEndian.Uint64(b[24:]), Bytes: binary.BigEndian.Uint64(b[32:]),
			})
		}
		b = b[size:]
	}
	return generation, serial, queues
}

// behind says whether the store lacks what was noted.
func (s *Store) behind(noted []markedQueue) bool {
	for _, n := range noted {
		if q := s.queues[n.Name]; q == nil && n.Messages > 0 || q != nil && q.next < n.Next {
			return true
		}
	}
	return false
}

// update replaces what the marker says of queues by what was noted since.
func (m *marker) update(queues []markedQueue) {
	at := map[string]int{}
	for i, q := range m.Queues {
		at[q.Name] = i
	}
	for _, q := range queues {
		i, ok := at[q.Name]
		if !ok {
			i = len(m.Queues)
			at[q.Name] = i
			m.Queues = append(m.Queues, markedQueue{})
		}
		m.Queues[i] = q
	}
}
