// Package conformance holds one test for each normative statement of MQTT 5.0, and for those of 3.1.1 and 3.1 that differ
// for a server, run against a real broker over a real socket. It has tests only.
//
// # How it is built
//
// A case is named after its statement, as MQTT 5.0 numbers it ("MQTT-3.3.1-2"), or after the version that has it
// ("MQTT-3.1.3-8 of 3.1.1"), and runs once for each version of the protocol that knows the rule. It is a short script of
// peers that send and expect packets (script_test.go); nothing sleeps. That nothing comes is shown by a PINGREQ whose
// answer comes first; that time passes, by a client whose keep alive runs out.
//
// statements.tsv lists every statement with the case that holds it, "client" where a server cannot be tried, or
// "not covered" with the reason. A test fails when the list and the cases disagree.
//
// hostile_test.go goes beyond the standard: what broken and hostile clients send, in each version, beside a client that
// must not notice.
//
// # Another broker
//
//	go test ./test/conformance -target localhost:1883
//
// runs the statements against whatever listens there, which must let in anonymous clients. Cases that need a configuration
// of their own start a broker of ours even then. A few cases ask for more than the standard: that the reason reaches the
// client, that an unreasonable client identifier is refused, that overlapping subscriptions get one copy of a message.
package conformance
