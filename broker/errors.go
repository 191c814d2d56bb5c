package broker

import (
	"errors"
	"fmt"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// ending is why a connection ends.
type ending struct {
	code mqtt.ReasonCode // sent with DISCONNECT where it is 0x80 or more and the version has one
	why  string
	// will says that the client's will is published: everything but its own DISCONNECT and the broker's stop.
	will bool
	// quiet endings are ordinary: logged as debug.
	quiet bool
	// logged: whoever refused the client has logged it.
	logged bool
	// gone: the peer does not read any more, nothing can be told.
	gone bool
	// left: it is the client's own DISCONNECT.
	left bool
}

func (e *ending) Error() string {
	if e.code >= 0x80 {
		return fmt.Sprintf("%s (0x%02X %s)", e.why, byte(e.code), e.code)
	}
	return e.why
}

var (
	errStopping  = &ending{code: mqtt.ServerShuttingDown, why: "the broker stops", quiet: true}
	errTakenOver = &ending{code: mqtt.SessionTakenOver, why: "another connection has the same client identifier", will: true}
	errOverflow  = &ending{code: mqtt.QuotaExceeded, why: "the client does not read what it subscribed to: broker.limits.queue_messages or queue_bytes reached", will: true}
	errNotRead   = &ending{code: mqtt.QuotaExceeded, why: "the client does not read its acknowledgements", will: true}
	errIdle      = &ending{code: mqtt.KeepAliveTimeout, why: "nothing came for one and a half keep alive intervals", will: true}
	errExpired   = &ending{code: mqtt.NotAuthorized, why: "the token that the client logged in with has expired", will: true}
	errPanicked  = &ending{code: mqtt.UnspecifiedError, why: "a bug in edged ended the connection; please report the log", will: true}
)

func violation(code mqtt.ReasonCode, format string, args ...any) *ending {
	return &ending{code: code, why: fmt.Sprintf(format, args...), will: true}
}

// asEnding makes any error of a connection an ending.
func asEnding(err error) *ending {
	var e *ending
	if errors.As(err, &e) {
		return e
	}
	var bad *mqtt.Error
	if errors.As(err, &bad) {
		return &ending{code: bad.Code, why: bad.Error(), will: true}
	}
	return &ending{why: "connection lost: " + err.Error(), will: true, quiet: true, gone: true}
}

// refusal is the reason code for a message that the store did not take.
func refusal(err error) mqtt.ReasonCode {
	switch {
	case errors.Is(err, edged.ErrQueueFull), errors.Is(err, edged.ErrDiskFull):
		return mqtt.QuotaExceeded
	case errors.Is(err, edged.ErrStoreFailed):
		return mqtt.ImplementationSpecificError
	}
	return mqtt.UnspecifiedError
}
