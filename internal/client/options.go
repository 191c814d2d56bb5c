package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// Options say where to connect to, and as whom. Only URL must be set.
type Options struct {
	// URL is mqtt://host[:1883], mqtts://host[:8883] or unix:///path; tcp, ssl and tls are accepted as synonyms.
	URL string
	// TLS is used with mqtts; nil: the system's roots. A missing ServerName is taken from URL.
	TLS *tls.Config
	// Version of MQTT; 0: 3.1.1.
	Version mqtt.Version
	// ClientID may be empty: the server makes one up. Then there is no session to go on with, and 3.x starts clean.
	ClientID   string
	CleanStart bool
	// KeepAlive is how often the server hears of the client at least, rounded up to seconds, at most 65,535 s; 0: one
	// minute; below 0: never. A server that is silent for one and a half of it is taken for dead.
	KeepAlive time.Duration
	// Username and Password are sent when they are not empty.
	Username string
	Password []byte
	Will     *mqtt.Will
	// Properties are those of CONNECT, in version 5.
	Properties *mqtt.Properties
	// MaxPacket bounds what is read, in bytes a packet; 0: 16 MiB. A version 5 server is told.
	MaxPacket int
	// Buffer is how many messages may wait in Messages.
	Buffer int
}

const defaultMaxPacket = 16 << 20

// withDefaults fills in what is left open.
func (o Options) withDefaults() Options {
	if o.Version == 0 {
		o.Version = mqtt.V311
	}
	if o.MaxPacket <= 0 {
		o.MaxPacket = defaultMaxPacket
	}
	switch {
	case o.KeepAlive == 0:
		o.KeepAlive = time.Minute
	case o.KeepAlive < 0:
		o.KeepAlive = 0
	}
	const most = 65535 * time.Second
	o.KeepAlive = (min(o.KeepAlive, most) + time.Second - 1).Truncate(time.Second)
	o.Buffer = max(o.Buffer, 0)
	return o
}

// connect makes the CONNECT packet.
func (o Options) connect() *mqtt.Connect {
	c := &mqtt.Connect{
		Version:     o.Version,
		CleanStart:  o.CleanStart || o.ClientID == "" && o.Version != mqtt.V5,
		KeepAlive:   uint16(o.KeepAlive / time.Second),
		ClientID:    o.ClientID,
		Will:        o.Will,
		HasUsername: o.Username != "",
		Username:    o.Username,
		HasPassword: len(o.Password) > 0,
		Password:    o.Password,
	}
	if o.Version == mqtt.V5 {
		p := mqtt.Properties{}
		if o.Properties != nil {
			p = *o.Properties
		}
		if p.Has&mqtt.MaximumPacketSize == 0 {
			p.Has |= mqtt.MaximumPacketSize
			p.MaximumPacketSize = uint32(min(o.MaxPacket, mqtt.MaxLength))
		}
		c.Properties = &p
	}
	return c
}

// open connects to URL, and shakes hands with TLS.
func (o Options) open(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // without the URL, which may hold a password
		}
		return nil, fmt.Errorf("cannot read the address: %w; write mqtt://host:port, mqtts://host:port or unix:///path", err)
	}
	if u.User != nil {
		return nil, errors.New("the address holds a user name, which other users of this machine could read; give it apart from the address")
	}
	port, secure := "1883", false
	switch u.Scheme {
	case "unix":
		return new(net.Dialer).DialContext(ctx, "unix", u.Host+u.Path)
	case "mqtt", "tcp":
	case "mqtts", "ssl", "tls":
		port, secure = "8883", true
	default:
		return nil, fmt.Errorf("%q is not a scheme this client knows; write mqtt://host:port, mqtts://host:port or unix:///path", u.Scheme)
	}
	if u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("%q is not an address; write mqtt://host:port, mqtts://host:port or unix:///path", o.URL)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	address := net.JoinHostPort(u.Hostname(), port)
	if !secure {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS
	}
	return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address) // sets ServerName where it is missing
}
