// Package client is a small MQTT client for the command line and for tests: it connects once, does what it is asked and
// waits for the answer. It does not reconnect, keeps nothing on disk, and knows 3.1, 3.1.1 and 5.0.
//
// # Two floors
//
// A [Client] is what edged pub and edged sub use: it answers pings, acknowledges what it hands over, and counts the
// packet identifiers. Below it, a [Conn] sends and receives single packets and follows no rule at all, so that a test
// can speak any nonsense to a server.
//
// # Caveats
//
// Messages come through one channel. While nobody reads it, the client reads nothing from its socket either, neither
// messages nor acknowledgements: memory stays bounded, and the server sees a slow client. So read Messages in a
// goroutine of its own while you publish, or give it a Buffer.
//
// A message is acknowledged once the channel has taken it. With a Buffer, that can be before anybody has seen it.
//
// What the server alone knows stays its affair: the client holds no session, and does not resolve topic aliases (it asks
// for none unless its Properties do).
package client
