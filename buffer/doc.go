// Package buffer keeps queues of messages, and records beside them, on disk: the durable half of a publish. It
// implements edged.Store on Badger, one folder a store.
//
// # How a message is kept
//
// [Store.Commit] puts a batch in line. One goroutine, the committer, takes what waits in the line, at most 1,024
// batches or about 100 KB, and makes one transaction of it:
//
//	s|queue|first…   one segment a queue: its new messages, with a checksum
//	q|queue          the queue's state: cursor, next sequence number, what was received or done out of turn, counters
//	r|key            the batches' records
//	                 and deletions of segments that are drained, evicted or of deleted queues
//
// It flushes the files, and then calls each batch's done in turn. Many publishers so share one flush, and nobody waits
// for a timer: what arrives during a flush is the next group. With "sync: 100ms" done comes before the flush; the death
// of the process still loses nothing, a power cut at most that much.
//
// The newest messages, 4 MiB in all queues together, stay in memory, so a consumer that keeps up never reads the disk.
// The backlog is on disk alone: nothing in memory grows with it.
//
// # How it is consumed
//
// A queue's consumer leases messages in order, and acknowledges them in any. An acknowledgement makes no write of its
// own: it is saved with the next commit, or after a second. A crash leases some messages again; as nobody knows which
// had been sent, the first 1,024 from the saved cursor are marked as redelivered. What [edged.Queue.Received] noted is
// on disk before its done, and is leased with Received set for ever after.
//
// # When there is no room
//
// A queue's own bounds act by its policy. The bound on all queues together (max_bytes) is paid by the biggest queue that
// drops its oldest. What is dropped is counted in the queue's state and told to Options.OnLoss. With less than
// min_free_disk free, messages fail with edged.ErrDiskFull, while acknowledgements and deletions go on.
//
// # When something breaks
//
// The first I/O error ends the store: everything fails with edged.ErrStoreFailed until it is opened again. Damage found
// at the start never stops it:
//
//   - A write-ahead log with bad bytes in it is copied aside to db.damaged-<time>, and all its readable records are kept;
//     Badger alone would drop what follows the first bad byte. A torn end, as a kill or a power cut leaves it, is none.
//   - A store that does not open is set aside as db.damaged-<time>.
//   - What an empty or shorter store is missing is known from the marker, written every 30 seconds, and the tally, which
//     every commit writes to. The process may be killed at any time; after a power cut the tally may be older, and the
//     count too low by what came since. What was acknowledged, but not saved yet, is counted too.
//
// Sequence numbers then go on above all that were ever used.
//
// # Caveats
//
//   - The functions given to Commit, Notify and OnLoss run on the committer: they must not block, nor call Commit and
//     wait.
//   - A message for several queues is stored once for each.
//   - Sizes are bounded, see [MaxMessage], [MaxRecord], [MaxRecordKey] and [MaxRecords]; beyond them a batch fails with
//     [ErrTooBig].
//   - It needs Linux: fallocate, fdatasync, flock.
package buffer
