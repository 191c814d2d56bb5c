package conformance

// knownFailures are cases ("MQTT-3.1.3-9/5.0") in which the broker does not do what the standard says, and why. A case here
// must fail: when it passes, it has to leave this list.
var knownFailures = map[string]string{
	"MQTT-3.2.2-19/5.0":            "the reason string of a refusal is sent whatever the client's maximum packet size",
	"CONNECT beyond the limit/5.0": "closed without CONNACK 0x95: the header is judged before the version is read",
	"MQTT-3.4.2-2/5.0":             tooLong,
	"MQTT-3.5.2-2/5.0":             tooLong,
	"MQTT-3.14.2-3/5.0":            tooLong,
	"MQTT-4.3.3-7/5.0":             "a message that was sent expires before it is sent again",
}

const tooLong = "where the reason string does not fit, the whole packet is left out"
