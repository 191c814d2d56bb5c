package buffer

import (
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/edged/edged"
)

// oldest remembers when the first message of a queue was received, which may be on disk only.
type oldest struct {
	seq  uint64
	time time.Time
}

// Stats describes the queue now.
func (q *queue) Stats() edged.QueueStats {
	s := q.store
	s.mu.Lock()
	defer s.mu.Unlock()
	return edged.QueueStats{
		Cursor: q.cursor, Next: q.next,
		Messages: int(q.messages), Bytes: int64(q.bytes), InFlight: q.inFlight,
		Oldest:   q.oldestTime(),
		Appended: q.appended, Acked: q.acked,
		Lost: q.lost, LostBytes: q.lostBytes,
	}
}

// oldestTime gives the time of the first message that is not done with. Of one that is only on disk it is that of its
// segment's first message.
func (q *queue) oldestTime() time.Time {
	if q.cursor >= q.visible || q.messages == 0 {
		return time.Time{}
	}
	if sl, ok := q.flight[q.cursor]; ok {
		return sl.time
	}
	if e := q.inMemory(q.cursor); e != nil {
		return e[0].msg.Time
	}
	if q.oldest.seq != q.cursor && q.store.failed == nil {
		q.oldest = oldest{seq: q.cursor}
		err := q.store.segments(q.id, q.cursor, func(g segment, _ *badger.Iterator) bool {
			q.oldest.time = fromMillis(g.firstTime)
			return false
		})
		if err != nil {
			_ = q.store.broken("look into queue "+q.name, err)
		}
	}
	return q.oldest.time
}
