package buffer

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"sort"
	"strings"
	"time"
)

// marker is what the store held lately, in a file that is none of Badger's. Badger opens silently empty, or without its
// newest entries, when the wrong file is damaged or missing; what it then holds is compared with the marker.
type marker struct {
	// Generation counts the starts, Serial the markers. Both are in the store's meta record first, so a store with
	// lower ones has forgotten something.
	Generation uint64 `json:"generation"`
	Serial     uint64 `json:"serial"`
	// Above is higher than any sequence number ever used in any queue.
	Above  uint64        `json:"above"`
	Queues []markedQueue `json:"queues"`
}

// markedQueue is a queue when the marker was written.
type markedQueue struct {
	Name     string `json:"name"`
	ID       uint32 `json:"id"`
	Cursor   uint64 `json:"cursor"`
	Next     uint64 `json:"next"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
}

// aboveStride is how many sequence numbers are ruled out ahead, so that the marker need not be written for each commit.
const aboveStride = 1 << 20

// errMarkerDamaged: there is a marker, but what it says is lost.
var errMarkerDamaged = errors.New("the marker file is damaged")

// readMarker gives nil when there is none: the store is new.
func readMarker(path string) (*marker, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body, sum, ok := strings.Cut(string(b), "\n")
	if !ok || strings.TrimSpace(sum) != markerSum(body) {
		return nil, fmt.Errorf("%s: %w", path, errMarkerDamaged)
	}
	m := new(marker)
	if err := json.Unmarshal([]byte(body), m); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errMarkerDamaged, err)
	}
	return m, nil
}

func markerSum(body string) string {
	return fmt.Sprintf("crc32c %08x", crc32.Checksum([]byte(body), castagnoli))
}

// write replaces the file so that a power cut leaves the old one or the new one.
func (m *marker) write(path string) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return replaceFile(path, fmt.Appendf(nil, "%s\n%s\n", body, markerSum(string(body))))
}

// mark writes the marker: the store's own record first, so that the file is never ahead of an undamaged store.
func (s *Store) mark() error {
	s.meta.serial++
	m := &marker{Generation: s.meta.generation, Serial: s.meta.serial, Above: s.base}
	s.mu.Lock()
	for _, q := range s.queues {
		m.Queues = append(m.Queues, q.noted())
		m.Above = max(m.Above, q.next)
	}
	s.mu.Unlock()
	sort.Slice(m.Queues, func(i, j int) bool { return m.Queues[i].Name < m.Queues[j].Name })
	m.Above += aboveStride
	if err := s.write([]change{s.meta.change()}, true); err != nil {
		return err
	}
	_, path, _, _ := s.paths()
	if err := m.write(path); err != nil {
		return err
	}
	s.marked, s.marks, s.above = time.Now(), false, m.Above
	return s.tally.begin(m.Generation, m.Serial)
}
