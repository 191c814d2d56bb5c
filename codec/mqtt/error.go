package mqtt

import "fmt"

// Error is why a packet was refused, by Parse or by Append.
type Error struct {
	// Code is the reason code to send with CONNACK (after a refused CONNECT) or DISCONNECT, where the version and the
	// state of the connection allow it. Both packets may carry every code that Parse gives.
	Code ReasonCode
	// Statement is the conformance statement that was violated, as MQTT 5.0 numbers it: "MQTT-3.3.1-4". A rule that
	// only 3.1.1 has says so: "MQTT-3.1.2-22 of 3.1.1". Empty: the standard says it without a number.
	Statement string
	// Problem says in which packet what was found, and what is expected.
	Problem string
}

func (e *Error) Error() string {
	s := e.Problem + " (" + e.Code.String()
	if e.Statement != "" {
		s += ", " + e.Statement
	}
	return s + ")"
}

func refuse(code ReasonCode, statement, format string, args ...any) *Error {
	return &Error{Code: code, Statement: statement, Problem: fmt.Sprintf(format, args...)}
}
