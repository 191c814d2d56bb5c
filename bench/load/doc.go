// Package load is the load generator: connections, publishers and sinks over raw sockets.
//
// A [Publisher] sends numbered messages and keeps at most a window of them on their way: sent but not acknowledged, or not
// delivered. A [Sink] is a subscriber: it acknowledges, and checks that what it gets is in order and arrives once. Each
// delivery is credited to its publisher, which then sends the next. So no broker is flooded into dropping messages, and
// each one works as fast as it can; what a broker loses all the same stops the load and is an error.
//
// All belong to one [Load]: the first error of any of them closes every connection, and Close returns it.
//
// The payload of every message begins with 20 bytes, big endian: the publisher's number (4), the message's number from 1
// (8), and when it was sent (8, nanoseconds of the generator's monotonic clock).
package load
