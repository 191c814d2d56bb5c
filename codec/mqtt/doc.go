// Package mqtt writes and reads the control packets of MQTT 3.1, 3.1.1 and 5.0: bytes in, bytes out, no I/O, no state.
//
// # Reading
//
// [ParseHeader] reads the fixed header as soon as it is there, and says how long the packet is before anything is
// buffered for it. With the body complete, [Parse] makes the packet, or the Parse method of a packet type fills a value
// that is used again and again. Both refuse everything that the standard forbids and that a single packet shows, with
// an [Error] that carries the reason code to answer with and the conformance statement. What depends on the connection
// is the caller's: packets out of turn, packet identifiers in use, topic aliases above the maximum, who may send what.
//
// # Writing
//
// Append appends a packet to a buffer of the caller's. It checks the fields as strictly as Parse does: what was appended
// without an error can be parsed again. [Publish.Encode] encodes a message once for many subscribers.
//
// # Versions
//
// One struct serves all three versions. What a version has no place for is not written, and zero after parsing: reason
// codes and properties in 3.x, session present in 3.1. Reason codes that 3.x does have (in CONNACK and SUBACK) are
// converted.
//
// # Caveats
//
// Strings and byte slices of a parsed packet alias the bytes they were parsed from: they are valid as long as those do
// not change. Clone (strings.Clone, bytes.Clone) what outlives the read buffer.
//
// A packet's memory is bounded by its length. Besides the fields themselves, which are not copied, lists are allocated
// once and as long as they need to be. That is at most 7 bytes for each byte received, for a list of empty strings.
package mqtt
