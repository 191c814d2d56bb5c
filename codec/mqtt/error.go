package mqtt

// Error is why a packet was refused, by Parse or by Append.
type Error struct {
	// Code is the reason code to send with DISCONNECT or CONNACK, where the version and the state allow it.
	Code ReasonCode
	// Statement is the conformance statement that was violated, as MQTT 5.0 numbers it: "MQTT-3.3.1-4"; empty: the
	// standard says it without a number.
	Statement string
	// Problem says what was found in which packet, and what is expected.
	Problem string
}

func (e *Error) Error() string {
	s := e.Problem + " (" + e.Code.String()
	if e.Statement != "" {
		s += ", " + e.Statement
	}
	return s + ")"
}
