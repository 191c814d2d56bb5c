// Package broker is an MQTT server for versions 3.1, 3.1.1 and 5.0, side by side, to run by itself or inside another
// program. Beside the standard library and edged's vocabulary and codecs it imports a library for WebSockets.
//
// # Concepts
//
// A message comes from a client, over the network or in the same process ([Broker.Client]), and is routed once. Live
// subscribers get it at once: the same bytes, encoded once for all of one version. Durable ones, persistent sessions and
// queues that were attached ([Broker.Attach]), get it in one [edged.Batch], together with the retained message and the
// QoS 2 packet identifier that belong to it:
//
//	reader ── route ──┬─► outputs of live clients ── flush, without waiting
//	   ▲              └─► one batch ── Store.Commit ──► done ── PUBACK or PUBREC, in order
//	   └── goes on with the next packet, up to 1,000 messages ahead of the disk
//
// An acknowledgement means that the message is on disk for every durable subscriber. Where the store refuses, a version 5
// client is told (0x97: queue or disk full, 0x83: the store failed); a 3.x client gets no answer, and the broker tries again
// while the connection lives. Where nobody durable wants a message, nothing is committed.
//
// A session with an expiry (3.x: without clean session) is persistent: all its QoS 1 and 2 messages go through its queue,
// online or not, and the message with sequence number n has the packet identifier 1 + n mod 60,000 in this and any later
// life of the process. Other sessions live in memory and end with their connection.
//
// # What a slow or dead client costs the others
//
// Nothing. No lock is held while bytes are read, written or committed. A publisher's goroutine writes to its subscribers'
// sockets only what they take without waiting; a goroutine for the rest exists as long as there is a rest. What waits for
// one client is bounded by [Limits]: beyond it QoS 0 is dropped, QoS 1 and 2 end a connection without a queue, and push the
// oldest messages out of a queue. All of it is counted in [Stats]. An idle connection has one goroutine and no buffer.
//
// # Listeners
//
// mqtt, mqtts, ws, wss and unix, each with or without the PROXY protocol but the last. A connection's own goroutine brings it to
// where MQTT begins (open), within the time for CONNECT. What TLS or a WebSocket is around is written by a goroutine that
// exists while there is something to write, and read without a buffer of the broker's while nothing comes.
//
// # Who may do what
//
// [Access] says who a client is and what it may do; without one all are anonymous. Grants are asked at CONNECT for the will and
// again when it is sent, at each publish and subscription, and at each delivery: what was retained, what waits in a queue, and
// what an old subscription matches is by the rules of now. A publish that is refused is answered with 0x87 to version 5; 3.x,
// which cannot be told, gets its acknowledgement, and the message is dropped, counted and logged.
//
// A session belongs to the user who began it. Another one with the same client identifier is refused with 0x85. Only the session
// of an anonymous client gives way to a user, and he begins anew: nothing is inherited.
//
// # Caveats
//
//   - When the store refuses one message of a 3.x client, those already on their way to it may be kept before that one.
//   - A retained message and a live one on the same topic that meet while a persistent session subscribes may reach its queue
//     in either order; the RETAIN flag tells them apart.
//   - A retained change by QoS 0 is saved within a second or so; by QoS 1 and 2 before its acknowledgement.
//   - A will is sent when the broker notices that a client is gone, or after the will delay interval, which runs on while the broker
//     is down. If the broker itself is killed, nobody sends the wills of those who were connected.
//   - In-process names and client identifiers are different worlds: a network client called "cloud" is not the uplink "cloud".
//   - Extended authentication knows SCRAM-SHA-256, for a program that brings [Verifiers] with its users. The client's first message
//     comes with CONNECT; channel binding is not supported.
package broker
