package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// way is a listener, and how its connections come to carry MQTT.
type way struct {
	net.Listener
	endpoint
	cfg   Listener
	key   string        // its place in the configuration
	certs *certificates // nil: no TLS
}

// open brings a connection to where MQTT begins: PROXY header, TLS, WebSocket, as its listener has them. It runs in the
// connection's own goroutine, and not beyond the time for CONNECT: whoever stalls holds up nobody.
func (c *conn) open() error {
	w := c.way
	c.near = isLoopback(c.from)
	if w.network == "unix" {
		c.remote = w.address // the client has no name of its own
	}
	if !w.cfg.ProxyProtocol && w.certs == nil && !w.webSocket() {
		return nil
	}
	if err := c.sock.SetDeadline(c.in.limit); err != nil {
		return err
	}
	select {
	case <-c.quit: // kick's deadline may just have been overwritten
		return errStopping
	default:
	}
	if w.cfg.ProxyProtocol {
		if err := c.openProxied(); err != nil {
			return handshakeEnding("PROXY protocol", err)
		}
	}
	nc := c.sock
	if w.certs != nil {
		t := tls.Server(nc, w.certs.config())
		if err := t.Handshake(); err != nil { //nolint:noctx // the deadline bounds it
			return handshakeEnding("TLS handshake", err)
		}
		if chains := t.ConnectionState().VerifiedChains; len(chains) > 0 {
			c.cert = chains[0][0]
		}
		nc = t
	}
	if w.webSocket() {
		ws, err := w.upgrade(nc, c.near, c.in.limit)
		if err != nil {
			return handshakeEnding("WebSocket", err)
		}
		nc = ws
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kicked != nil {
		return c.kicked
	}
	if err := c.sock.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	if c.nc = nc; nc != c.sock {
		c.raw = nil
	}
	return nil
}

// openProxied takes the client's address from its proxy.
func (c *conn) openProxied() error {
	client, err := readProxy(c.sock)
	if err != nil {
		return err
	}
	proxyNear := c.near
	c.near = false
	if !client.IsValid() {
		c.from = untold{c.sock.RemoteAddr()}
	} else {
		c.from = net.TCPAddrFromAddrPort(client)
		// A proxy elsewhere may well name a loopback address, which is then its own machine's.
		c.near = proxyNear && isLoopback(c.from)
	}
	c.remote = c.from.String()
	if !c.b.readdress(c, c.from) {
		return &ending{why: "too many connections of one address: broker.limits.connections_per_address", gone: true}
	}
	return nil
}

// handshakeEnding: somebody who just goes away, such as a health check, is nothing to report.
func handshakeEnding(what string, err error) error {
	var end *ending
	var network net.Error
	switch {
	case errors.As(err, &end):
		return end
	case errors.As(err, &network) && network.Timeout():
		return err // nobody can tell what it would have been
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed):
		return err
	}
	if record := (tls.RecordHeaderError{}); errors.As(err, &record) {
		return &ending{why: "the client speaks no TLS; it must connect to this listener with mqtts:// or wss://"}
	}
	return &ending{why: fmt.Sprintf("%s: %.200v", what, err)} // it may quote the client
}
