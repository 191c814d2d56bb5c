// Package paho connects a bridge to a server through Eclipse Paho (paho.mqtt.golang), MQTT 3.1.1.
//
// Each connection has a fresh paho client of its own, without a store and without reconnection: the bridge decides what
// is sent again. Paho does CONNECT, keep-alive, SUBSCRIBE, the packets' encoding, and what comes down. The delivery of
// QoS 1 and 2 is not left to it: it forgets PUBRELs in a crash, gives a message a new packet identifier after a restart,
// and completes tokens for messages that it only means to resume.
//
// So paho publishes everything at QoS 0, keeps no state for it, and a guard on the connection makes each PUBLISH what it
// is meant to be: it adds the level, DUP and the packet identifier that follows from the message's sequence number.
// PUBACK, PUBREC and PUBCOMP are taken out on their way in, and tell the bridge; PUBRELs are written by the guard, on the
// same ordered path as everything else. With the earlier way, letting paho publish at QoS 1 and 2 and translating its
// identifiers, there were two states of every message to keep in step; now there is one.
//
// The guard lets nothing reach paho that it would stumble over: lengths that lie (it allocates them), a SUBACK with more
// codes than filters (it panics), a CONNACK with an unknown code (it takes that for acceptance), malformed topics. Such a
// packet ends the connection.
//
// A connection is noticed to be dead by paho's PINGREQ, by a write that the network does not take within
// Dial.AckTimeout, and by acknowledgements that are owed for that long while nothing moves.
//
// # Caveats
//
// paho.mqtt.golang has a goroutine or two that end only a moment after Disconnect has returned.
package paho
