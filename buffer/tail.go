package buffer

import "container/list"

// tailBytes bounds what is kept in memory of the newest messages of all queues together.
const tailBytes = 4 << 20

// block is a run of newly committed messages of one queue, so that a consumer that keeps up never reads the disk.
type block struct {
	q       *queue
	entries []entry
	bytes   int
	at      *list.Element
}

func (b *block) end() uint64 { return b.entries[len(b.entries)-1].seq + 1 }

// tail holds the blocks of all queues, oldest first.
type tail struct {
	blocks list.List
	bytes  int
	limit  int
}

// entryOverhead is about what a message costs in memory beside its bytes.
const entryOverhead = 200

func (t *tail) push(q *queue, entries []entry) {
	b := &block{q: q, entries: entries}
	for i := range entries {
		b.bytes += int(entries[i].size) + entryOverhead
	}
	b.at = t.blocks.PushBack(b)
	t.bytes += b.bytes
	q.blocks = append(q.blocks, b)
	for t.bytes > t.limit {
		oldest := t.blocks.Front().Value.(*block)
		oldest.q.dropBlocks(oldest.end())
	}
}

func (t *tail) remove(b *block) {
	t.blocks.Remove(b.at)
	t.bytes -= b.bytes
}

// dropBlocks forgets the queue's blocks that end at or below seq.
func (q *queue) dropBlocks(seq uint64) {
	n := 0
	for n < len(q.blocks) && q.blocks[n].end() <= seq {
		q.store.tail.remove(q.blocks[n])
		q.blocks[n] = nil
		n++
	}
	q.blocks = q.blocks[n:]
	if len(q.blocks) == 0 {
		q.blocks = nil
	}
}

// inMemory gives the entries from seq on of the block that holds seq, or nil.
func (q *queue) inMemory(seq uint64) []entry {
	for _, b := range q.blocks {
		if seq < b.entries[0].seq {
			return nil
		}
		if seq < b.end() {
			return b.entries[seq-b.entries[0].seq:]
		}
	}
	return nil
}
