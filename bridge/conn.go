package bridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/edged/edged"
)

// Dialer connects to a server. It returns when the server has accepted, with an error once it has refused, could not be
// reached, or ctx is done.
type Dialer func(ctx context.Context, d Dial) (Conn, error)

// Dial is what a Dialer needs to know.
type Dial struct {
	// URL has the scheme mqtt or mqtts, a host and a port.
	URL *url.URL
	// TLS is set for mqtts only.
	TLS      *tls.Config
	ClientID string
	// Username and Password: empty ones are not sent.
	Username, Password string
	// Clean asks the server to forget the session, now and when the connection ends (MQTT-3.1.2-6).
	Clean     bool
	KeepAlive time.Duration
	// AckTimeout is how long the connection may make no progress while something is under way.
	AckTimeout time.Duration
	// PacketBytes bounds the packets that are taken.
	PacketBytes int
	// Will is published by the server when the connection ends without a DISCONNECT; nil: none.
	Will *edged.Message
	// Handler gets what comes in.
	Handler Handler
}

// Conn is one connection, from the server's acceptance to its end. Of its methods only Publish and Release must be
// called by one goroutine at a time.
type Conn interface {
	// SessionPresent says that the server has kept the session.
	SessionPresent() bool
	// Span is how far apart the sequence numbers of messages under way may be, so that no two share an identifier.
	Span() uint64
	// Publish sends a message of the queue; the packet identifier follows from its sequence number, so that a message
	// has the same one on every connection. seq 0: a message at QoS 0. It blocks while the network takes nothing.
	Publish(seq uint64, m edged.Message, dup bool) error
	// Release sends the PUBREL of a QoS 2 message; resumed: its PUBLISH was not sent on this connection.
	Release(seq uint64, resumed bool) error
	// Announce publishes a message that is not of the queue at QoS 1, and returns when the server has acknowledged it.
	Announce(ctx context.Context, m edged.Message) error
	// Subscribe returns when the server has granted every subscription.
	Subscribe(ctx context.Context, subs []edged.Subscription) error
	// Disconnect sends DISCONNECT, which discards the will, and closes; ctx bounds it.
	Disconnect(ctx context.Context)
	// Close ends the connection at once, the server publishes the will, and waits for the connection's goroutines.
	Close()
	// Done is closed when the connection has ended; Err then says why.
	Done() <-chan struct{}
	Err() error
}

// Handler gets what comes in on a connection, from its reading goroutine: it must not block on anything slower than the
// queue.
type Handler interface {
	// Received: PUBREC, the server has taken the QoS 2 message over.
	Received(seq uint64)
	// Completed: PUBACK or PUBCOMP, the message is done. It is called at most once for a message on one connection.
	Completed(seq uint64)
	// Message is one from a subscription. ack acknowledges it to the server, once; it may be called later, from any
	// goroutine, also when the connection has ended.
	Message(m edged.Message, ack func())
}

// RefusedError is a CONNECT that the server has answered with a return code other than 0.
type RefusedError struct {
	// Code is the return code of MQTT 3.1.1 §3.2.2.3.
	Code   byte
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server refused the connection: %s (return code %d)", e.Reason, e.Code)
}

// credentials says whether trying again soon is pointless, and may lock the account.
func (e *RefusedError) credentials() bool { return e.Code == 2 || e.Code == 4 || e.Code == 5 }

// refusedCredentials says whether err is such a refusal.
func refusedCredentials(err error) bool {
	var r *RefusedError
	return errors.As(err, &r) && r.credentials()
}

// maxInflight is the largest window.
const maxInflight = 1000
