// Package wire is the load generator's own MQTT 3.1.1 encoder and decoder: just the packets it sends and receives, without
// allocation, so that the generator costs as little as possible beside the broker it measures.
//
// It is not a general codec: it trusts its caller (names and filters are not checked), and knows no properties.
// Bytes from the broker are not trusted: Next and Packet.Publish check every length.
package wire
