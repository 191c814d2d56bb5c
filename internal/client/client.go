package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// lingerTime is how long a server may take to close the connection after DISCONNECT.
const lingerTime = 2 * time.Second

// Client is a connection that follows the rules. Its methods may be called by several goroutines.
type Client struct {
	conn      *Conn
	connack   mqtt.Connack
	keepAlive time.Duration
	maxSend   int // the longest packet that the server takes

	messages chan mqtt.Publish
	handing  atomic.Bool     // the reader waits for somebody to take a message
	received map[uint16]bool // QoS 2 messages handed over, whose PUBREL has not come; the reader's own
	quota    chan struct{}   // a token for every PUBLISH that the server has not answered yet

	mu      sync.Mutex
	waiting map[uint16]*request
	lastID  uint16
	ended   bool
	err     error

	stop chan struct{} // closed when the connection is of no use any more
	done chan struct{} // closed when both goroutines have ended
}

// Dial connects, sends CONNECT and waits for CONNACK. ctx bounds that, not the life of the client. A refusal is a
// *CodeError.
func Dial(ctx context.Context, o Options) (*Client, error) {
	o = o.withDefaults()
	conn, err := DialConn(ctx, o)
	if err != nil {
		return nil, err
	}
	c, err := New(ctx, conn, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.URL, err)
	}
	return c, nil
}

// New is Dial over a connection that is there already. With an error, it is closed.
func New(ctx context.Context, conn *Conn, o Options) (*Client, error) {
	o = o.withDefaults()
	ack, err := handshake(ctx, conn, o)
	if err != nil {
		_ = conn.Close() // the error that counts is err
		return nil, err
	}
	c := &Client{
		conn:      conn,
		connack:   *ack,
		keepAlive: o.KeepAlive,
		maxSend:   mqtt.MaxLength,
		messages:  make(chan mqtt.Publish, o.Buffer),
		received:  make(map[uint16]bool),
		waiting:   make(map[uint16]*request),
		stop:      make(chan struct{}),
		done:      make(chan struct{}),
	}
	receiveMaximum := 65535
	if p := ack.Properties; p != nil {
		if p.Has&mqtt.ServerKeepAlive != 0 { // MQTT-3.1.2-21
			c.keepAlive = time.Duration(p.ServerKeepAlive) * time.Second
		}
		if p.Has&mqtt.ReceiveMaximum != 0 {
			receiveMaximum = int(p.ReceiveMaximum)
		}
		if p.Has&mqtt.MaximumPacketSize != 0 {
			c.maxSend = int(min(p.MaximumPacketSize, mqtt.MaxLength))
		}
	}
	c.quota = make(chan struct{}, receiveMaximum)
	var running sync.WaitGroup
	running.Go(c.read)
	running.Go(c.ping)
	go func() {
		running.Wait()
		close(c.done)
	}()
	return c, nil
}

func handshake(ctx context.Context, conn *Conn, o Options) (*mqtt.Connack, error) {
	b, err := o.connect().Append(nil, o.Version)
	if err != nil {
		return nil, err
	}
	if err := conn.write(ctx, b, false); err != nil {
		return nil, err
	}
	p, err := conn.Receive(ctx)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the server closed the connection instead of answering CONNECT; does it speak this version of MQTT?")
	}
	if err != nil {
		return nil, err
	}
	ack, ok := p.(*mqtt.Connack)
	if !ok {
		return nil, fmt.Errorf("the server answered CONNECT with %v", p.Type())
	}
	if ack.Code != mqtt.Success {
		return nil, &CodeError{Packet: mqtt.CONNACK, Code: ack.Code, Reason: reason(ack.Properties)}
	}
	return ack, nil
}

// Connack is how the server answered CONNECT.
func (c *Client) Connack() mqtt.Connack { return c.connack }

// Messages are those that the server sends, in its order. Whoever reads one may keep it. It is closed when the
// connection has ended.
func (c *Client) Messages() <-chan mqtt.Publish { return c.messages }

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is what ended the connection: nil as long as it lives and after Disconnect or Close, a *CodeError when the server
// sent DISCONNECT, io.EOF when it closed the connection without a word.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Disconnect says goodbye with that code (version 5 alone can say another one than mqtt.Success), waits until the server
// has closed the connection, at most two seconds, and ends. What has come in the meantime is not acknowledged.
func (c *Client) Disconnect(code mqtt.ReasonCode) error {
	defer c.linger().Stop()
	c.end(nil)
	err := c.leave(code)
	<-c.done
	return err
}

// Close ends the connection without a word to the server, which will publish the will.
func (c *Client) Close() error {
	c.end(nil)
	err := c.conn.Close()
	<-c.done
	return err
}

// end notes why the connection is of no use any more; the first reason counts.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.ended, c.err = true, err
		close(c.stop)
	}
}

// leave sends DISCONNECT and shuts the write side. The reader throws away what still comes until the server closes:
// bytes left unread would make the system reset the connection, and DISCONNECT would be lost.
func (c *Client) leave(code mqtt.ReasonCode) error {
	b, err := (&mqtt.Disconnect{Code: code}).Append(nil, c.conn.version)
	if err != nil {
		return err
	}
	return c.conn.write(context.Background(), b, true)
}

// linger closes the connection in a moment, unless it is stopped.
func (c *Client) linger() *time.Timer {
	return time.AfterFunc(lingerTime, func() { _ = c.conn.Close() }) // an error: it is closed
}

// closedErr says that what was asked cannot be answered any more.
func (c *Client) closedErr() error {
	if err := c.Err(); err != nil {
		return err
	}
	return edged.ErrClosed
}
