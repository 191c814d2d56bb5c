package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// writeTimeout is how long a server may leave a packet of ours unread.
const writeTimeout = 10 * time.Second

// readChunk is how much is read at once, so that what follows the first unread packet stays short.
const readChunk = 8 << 10

// past is a deadline that ends a read or a write at once.
var past = time.Unix(1, 0)

// Conn sends and receives single packets, in any order and number. Several goroutines may send; one at a time receives.
type Conn struct {
	nc        net.Conn
	version   mqtt.Version
	maxPacket int
	writing   chan struct{} // holds one token while somebody writes
	shut      bool          // nothing may be written any more; guarded by writing
	unread    []byte        // received, not parsed yet
}

// DialConn connects as o says, and sends nothing.
func DialConn(ctx context.Context, o Options) (*Conn, error) {
	nc, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	return NewConn(nc, o), nil
}

// NewConn speaks over nc, which it closes in the end. Of o it takes Version and MaxPacket.
func NewConn(nc net.Conn, o Options) *Conn {
	o = o.withDefaults()
	return &Conn{nc: nc, version: o.Version, maxPacket: o.MaxPacket, writing: make(chan struct{}, 1)}
}

// Send sends p as the connection's version writes it. After an error other than *mqtt.Error, the connection is closed.
func (c *Conn) Send(p mqtt.Packet) error {
	b, err := p.Append(nil, c.version)
	if err != nil {
		return err
	}
	return c.SendBytes(b)
}

// SendBytes sends b as it is. After an error the connection is closed.
func (c *Conn) SendBytes(b []byte) error { return c.write(context.Background(), b, false) }

// write ends when ctx is done, or after writeTimeout; what was half written by then makes the connection useless. After
// the last write the server is told that nothing more will come, where the transport can say so.
func (c *Conn) write(ctx context.Context, b []byte, last bool) error {
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.shut {
		return edged.ErrClosed
	}
	c.shut = last
	release := until(ctx, time.Now().Add(writeTimeout), c.nc.SetWriteDeadline)
	_, err := c.nc.Write(b)
	release()
	if err == nil {
		if half, ok := c.nc.(interface{ CloseWrite() error }); ok && last {
			_ = half.CloseWrite() // an error: the server has read the last word, and was faster
		}
		return nil
	}
	_ = c.nc.Close() // the error that counts is err
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if ctx.Err() != nil {
			return fmt.Errorf("the server did not take a packet of %d bytes: %w", len(b), context.Cause(ctx))
		}
		return fmt.Errorf("the server did not take a packet of %d bytes for %v", len(b), writeTimeout)
	}
	return err
}

// Receive returns the next packet. Errors: io.EOF when the server has closed the connection between two packets,
// io.ErrUnexpectedEOF within one, *mqtt.Error for a packet that is malformed or longer than MaxPacket, and ctx's. After
// the last one it may be called again, and nothing is lost.
func (c *Conn) Receive(ctx context.Context) (mqtt.Packet, error) {
	release := until(ctx, time.Time{}, c.nc.SetReadDeadline)
	defer release()
	p, err := c.receive()
	if err != nil && ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("no packet came: %w", context.Cause(ctx))
	}
	return p, err
}

// receive reads until a packet is complete. Its room grows with what arrives, not with what a header claims.
func (c *Conn) receive() (mqtt.Packet, error) {
	for {
		h, n, err := mqtt.ParseHeader(c.unread)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			if n+h.Length > c.maxPacket {
				return nil, &mqtt.Error{Code: mqtt.PacketTooLarge, Problem: fmt.Sprintf("%v of %d bytes; at most %d are read", h.Type, n+h.Length, c.maxPacket)}
			}
			if end := n + h.Length; len(c.unread) >= end {
				body := bytes.Clone(c.unread[n:end]) // the packet keeps it
				c.unread = c.unread[:copy(c.unread, c.unread[end:])]
				return mqtt.Parse(h, body, c.version)
			}
		}
		c.unread = slices.Grow(c.unread, readChunk)
		n, err = c.nc.Read(c.unread[len(c.unread):][:readChunk])
		c.unread = c.unread[:len(c.unread)+n]
		if n > 0 {
			continue
		}
		if errors.Is(err, io.EOF) && len(c.unread) > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
}

// Close closes the connection without a word to the server, and ends what is being sent or received. Once is enough,
// more does no harm.
func (c *Conn) Close() error {
	if err := c.nc.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// until sets a deadline that moves to the past when ctx is done. release must be called before the next one is set.
func until(ctx context.Context, deadline time.Time, set func(time.Time) error) (release func()) {
	_ = set(deadline) // fails on a closed connection only; the read or the write will say so
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = set(past)
		close(fired)
	})
	return func() {
		if !stop() {
			<-fired
		}
	}
}
