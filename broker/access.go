package broker

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/codec/topic"
)

// Access says who network clients are, and what each may do. Its methods are called by many connections at once.
type Access interface {
	// Authenticate says who a client is. It may take as long as ctx lasts, which is the time for CONNECT. A *Refusal is
	// told to the client; after any other error it is told that the server is busy. It logs what it refuses.
	Authenticate(ctx context.Context, c Credentials) (Identity, error)
	// Grants are what a session of that user may do; nil: everything. They hold while the broker runs.
	Grants(user, clientID string) Grants
}

// Grants are asked for each publish, subscription and delivery. They must not wait for anything.
type Grants interface {
	Publish(topicName string) bool
	// Subscribe is asked for the whole filter, $share and the share name included.
	Subscribe(topicFilter string) bool
	Receive(topicName string) bool
}

// Credentials are what a client shows when it connects.
type Credentials struct {
	// Remote is the client's address, as a proxy told it where there is one.
	Remote net.Addr
	// ClientID is the client identifier as it was sent, maybe empty; Username and Password likewise.
	ClientID, Username string
	Password           []byte
	// Certificate is the client's, verified by the listener's TLS; nil: none.
	Certificate *x509.Certificate
	// Anonymous says that Config.Anonymous lets a client without credentials in from there.
	Anonymous bool
}

// Identity is who a client is.
type Identity struct {
	// User is the user's name; empty: anonymous. A session belongs to its user.
	User string
	// Expires is when the connection is ended; zero: never.
	Expires time.Time
}

// Refusal is why a client may not connect: Code is that of CONNACK, Reason is told to version 5 clients.
type Refusal struct {
	Code   mqtt.ReasonCode
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

// action is what a network client asks to do.
type action byte

const (
	toConnect action = iota
	toSend
	toSubscribe
)

// may is the one place that decides what any network client may do. object is a topic name or filter. The string says why
// not, and which setting would change it.
func (b *Broker) may(near bool, do action, object string) (mqtt.ReasonCode, string) {
	switch do {
	case toConnect:
		switch b.cfg.Anonymous {
		case Always:
			return mqtt.Success, ""
		case Loopback:
			if near {
				return mqtt.Success, ""
			}
			return mqtt.NotAuthorized, "anonymous clients may connect from this machine only; broker.anonymous: always lets them in from everywhere"
		}
		return mqtt.NotAuthorized, "anonymous clients are refused; broker.anonymous: loopback or always lets them in"
	case toSend:
		if isSys(object) {
			return mqtt.NotAuthorized, "only the broker publishes under $SYS"
		}
	case toSubscribe:
		if n := topic.Levels(object); n > b.cfg.Limits.TopicLevels {
			return mqtt.QuotaExceeded, fmt.Sprintf("the filter has %d levels; broker.limits.topic_levels is %d", n, b.cfg.Limits.TopicLevels)
		}
		if err := topic.CheckFilter(object); err != nil { // the parser leaves $share of 3.x alone
			return mqtt.TopicFilterInvalid, err.Error()
		}
	}
	return mqtt.Success, ""
}

// may is what this client may do, by its grants too.
func (c *conn) may(do action, object string) (mqtt.ReasonCode, string) {
	code, why := c.b.may(c.near, do, object)
	if code.Failed() || c.grants == nil {
		return code, why
	}
	switch {
	case do == toSend && !c.grants.Publish(object):
		return mqtt.NotAuthorized, "no rule of broker.access lets " + c.whom() + " publish to it"
	case do == toSubscribe && !c.grants.Subscribe(object):
		return mqtt.NotAuthorized, "no rule of broker.access lets " + c.whom() + " subscribe to it"
	}
	return mqtt.Success, ""
}

func (c *conn) whom() string {
	if c.user == "" {
		return "anonymous clients"
	}
	return fmt.Sprintf("user %.64q", c.user)
}

// authenticate finds out who the client is. No lock is held.
func (c *conn) authenticate(p *mqtt.Connect) error {
	code, why := c.b.may(c.near, toConnect, "")
	if c.b.access == nil {
		if code.Failed() {
			return c.refuse(code, why)
		}
		return nil
	}
	ctx, cancel := context.WithDeadline(context.Background(), c.in.limit)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-c.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	id, err := c.b.access.Authenticate(ctx, Credentials{
		Remote: c.from, ClientID: p.ClientID, Username: p.Username, Password: p.Password, Certificate: c.cert, Anonymous: !code.Failed(),
	})
	cancel()
	<-watched
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return c.refuseLogged(refusal.Code, refusal.Reason)
	case err != nil:
		return c.refuseLogged(mqtt.ServerBusy, "too many clients log in")
	}
	c.user = strings.Clone(id.User)
	if !id.Expires.IsZero() {
		c.expires = time.AfterFunc(time.Until(id.Expires), func() { c.kick(errExpired) })
	}
	return nil
}

// refuseLogged refuses a CONNECT that somebody else has logged.
func (c *conn) refuseLogged(code mqtt.ReasonCode, why string) error {
	err := c.refuse(code, why)
	asEnding(err).logged = true
	return err
}

func isSys(name string) bool { return name == "$SYS" || strings.HasPrefix(name, "$SYS/") }

func isLoopback(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
