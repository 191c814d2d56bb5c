package conformance

// knownFailures are cases ("MQTT-3.1.3-9/5.0") in which the broker does not do what the standard says, and why. A case here
// must fail: when it passes, it has to leave this list.
var knownFailures = map[string]string{}
