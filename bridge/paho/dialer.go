package paho

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
)

// Dialer makes a dialer that speaks MQTT 3.1.1 through paho.mqtt.golang. log takes what is worth knowing about each
// connection, at level debug; nil: discarded.
func Dialer(log *slog.Logger) bridge.Dialer { return dialer(sequenceIDs, log) }

// dialer uses the identifiers 1 to modulus for messages of the queue; tests use fewer than there are.
func dialer(modulus uint64, log *slog.Logger) bridge.Dialer {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(ctx context.Context, d bridge.Dial) (bridge.Conn, error) {
		raw, err := open(ctx, d)
		if err != nil {
			return nil, err
		}
		c := newConn(raw, d, modulus)
		if err := c.connect(ctx); err != nil {
			c.Close()
			return nil, err
		}
		log.Debug("connected", "from", raw.LocalAddr(), "to", raw.RemoteAddr(), "client_id", d.ClientID, "session_present", c.sessionPresent)
		return c, nil
	}
}

// open makes the network connection, with TLS for mqtts and never without it.
func open(ctx context.Context, d bridge.Dial) (net.Conn, error) {
	var dial net.Dialer
	raw, err := dial.DialContext(ctx, "tcp", d.URL.Host)
	if err != nil {
		return nil, err
	}
	switch {
	case d.URL.Scheme == "mqtt":
		return raw, nil
	case d.URL.Scheme != "mqtts" || d.TLS == nil:
		raw.Close()
		return nil, fmt.Errorf("%s is not an address for mqtt or, with TLS, mqtts", d.URL)
	}
	secure := tls.Client(raw, d.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return secure, nil
}

// enqueueTimeout bounds what paho waits for its own goroutines in a call; the network is not among them, as the guard
// takes every packet at once.
const enqueueTimeout = time.Second

func (c *conn) options(d bridge.Dial) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(d.URL.String()).SetClientID(d.ClientID).SetCleanSession(d.Clean).
		SetUsername(d.Username).SetPassword(d.Password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectRetry(false).SetResumeSubs(false).
		SetAutoAckDisabled(true).SetOrderMatters(true).SetWriteTimeout(enqueueTimeout).
		SetKeepAlive(d.KeepAlive).SetPingTimeout(d.AckTimeout).SetDefaultPublishHandler(c.message).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.guard.fail(err) }).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return c.guard, nil })
	if d.Will != nil {
		o.SetBinaryWill(d.Will.Topic, d.Will.Payload, byte(d.Will.QoS), d.Will.Retain)
	}
	return o
}

// connect sends CONNECT and waits for CONNACK.
func (c *conn) connect(ctx context.Context) error {
	timeout := time.Duration(math.MaxInt64)
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(deadline), time.Millisecond)
	}
	o := c.options(c.dial)
	o.SetConnectTimeout(min(timeout, time.Hour))
	c.client = mqtt.NewClient(o)
	token := c.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		c.guard.fail(ctx.Err())
		<-token.Done()
		return fmt.Errorf("the server does not answer CONNECT: %w", ctx.Err())
	}
	if err := token.Error(); err != nil {
		return c.refusal(token, err)
	}
	c.sessionPresent = token.(*mqtt.ConnectToken).SessionPresent()
	return nil
}

// refusal says why there is no connection.
func (c *conn) refusal(token mqtt.Token, err error) error {
	if t, ok := token.(*mqtt.ConnectToken); ok && t.ReturnCode() >= 1 && t.ReturnCode() <= 5 {
		return &bridge.RefusedError{Code: t.ReturnCode(), Reason: err.Error()}
	}
	if cause := c.guard.cause(); cause != nil && !errors.Is(cause, errPahoClosed) {
		err = cause
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return errors.New("the server does not answer CONNECT")
	}
	return err
}

// message hands over what a subscription brought.
func (c *conn) message(_ mqtt.Client, m mqtt.Message) {
	c.dial.Handler.Message(edged.Message{
		Topic: m.Topic(), Payload: m.Payload(), QoS: edged.QoS(m.Qos()), Retain: m.Retained(), Time: time.Now(),
	}, m.Ack)
}
