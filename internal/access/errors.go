package access

import (
	"errors"
	"fmt"
	"time"
)

// Errors of Authenticate; test with errors.Is. What else comes is the context's error, or a fault of this machine.
var (
	// ErrBadCredentials: name, password, token or certificate is wrong (version 5: 0x86). It does not say which.
	ErrBadCredentials = errors.New("user name or password is wrong")
	// ErrNotAuthorised: the client shows nothing that could be checked, and may not come without (version 5: 0x87).
	ErrNotAuthorised = errors.New("not authorised")
)

// SlowDownError refuses a login unseen, because too many failed before it (version 5: 0x9F).
type SlowDownError struct {
	// Until is when the next attempt is looked at. It is for the log, not for the client.
	Until time.Time
}

func (e *SlowDownError) Error() string {
	return fmt.Sprintf("too many failed logins; the next one is looked at in %v", max(time.Until(e.Until), 0).Round(100*time.Millisecond))
}
