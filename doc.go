// Package edged is the vocabulary that every room of edged shares: messages, the bus they travel on, the queues that
// keep them, the tasks that move them, and how a faulty configuration key is named.
//
// It holds types and rules only, imports nothing but the standard library, and starts nothing.
//
// # The way of a message
//
// Whoever has something to say, a sensor on the network or an adapter inside edged, is a client of the broker and
// publishes a [Message] on the [Bus]. The broker hands it to live subscribers at once, and for durable subscribers
// (persistent sessions and uplinks: one mechanism) it commits one [Batch] to the [Store]. The publisher is answered when
// that commit is on disk. A durable subscriber leases its messages from its [Queue] in order, and acknowledges them.
//
// # What nil means
//
// A nil error from [Publisher.Publish], or given to the done function of [Store.Commit], means kept: the message is on
// disk for every durable subscriber that wants it, and no power cut takes it away. Anything else means that the
// publisher still owns the message.
package edged
