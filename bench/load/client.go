package load

import (
	"fmt"
	"net"

	"github.com/edged/edged/bench/wire"
)

// Client is one MQTT connection with its buffers. It is used by one goroutine at a time, but for what Publisher does.
type Client struct {
	conn net.Conn
	in   []byte
	// in[r:w] was read and not yet taken.
	r, w int
	out  []byte
	// readAt is when the bytes of the latest read arrived.
	readAt int64
	nextID uint16
}

// Buffers grow from small to large, so that thousands of idle connections cost the generator little.
const smallBuffer, largeBuffer = 512, 64 << 10

// Connect opens a connection and awaits CONNACK. A persistent client asks for a session that outlives it.
func (l *Load) Connect(id string, persistent bool) (*Client, error) {
	conn, err := (&net.Dialer{}).DialContext(l.ctx, "tcp", l.addr)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", id, err)
	}
	l.mu.Lock()
	c := &Client{conn: conn, in: make([]byte, smallBuffer)}
	l.clients = append(l.clients, c)
	l.mu.Unlock()
	if l.ctx.Err() != nil { // the closing goroutine may have gone past us
		conn.Close()
	}
	c.out = wire.AppendConnect(c.out, id, !persistent)
	if err := c.flush(); err != nil {
		return nil, fmt.Errorf("client %s: sending CONNECT: %w", id, err)
	}
	p, err := c.next()
	if err != nil {
		return nil, fmt.Errorf("client %s: awaiting CONNACK: %w", id, err)
	}
	if p.Type != wire.CONNACK || len(p.Body) != 2 || p.Body[1] != 0 {
		return nil, fmt.Errorf("client %s: CONNECT was answered with packet type %d, % x", id, p.Type, p.Body)
	}
	return c, nil
}

// Subscribe subscribes to filters, a hundred in a packet, and awaits each SUBACK. Nothing may be delivered meanwhile.
func (c *Client) Subscribe(qos byte, filters ...string) error {
	for len(filters) > 0 {
		n := min(len(filters), 100)
		if err := c.subscribe(qos, filters[:n]); err != nil {
			return err
		}
		p, err := c.next()
		if err != nil {
			return fmt.Errorf("awaiting SUBACK: %w", err)
		}
		if p.Type != wire.SUBACK || len(p.Body) != 2+n {
			return fmt.Errorf("SUBSCRIBE was answered with packet type %d, % x", p.Type, p.Body)
		}
		if err := granted(p, qos); err != nil {
			return err
		}
		filters = filters[n:]
	}
	return nil
}

// subscribe sends one SUBSCRIBE and leaves SUBACK to whoever reads.
func (c *Client) subscribe(qos byte, filters []string) error {
	c.nextID++
	c.out = wire.AppendSubscribe(c.out, c.nextID, qos, filters...)
	return c.flush()
}

// granted checks that a SUBACK grants qos for each filter.
func granted(suback wire.Packet, qos byte) error {
	for i, code := range suback.Body[min(2, len(suback.Body)):] {
		if code != qos {
			return fmt.Errorf("filter %d of a SUBSCRIBE at QoS %d was answered with %#x", i+1, qos, code)
		}
	}
	return nil
}

// Disconnect says goodbye and closes, as a client that means to come back.
func (c *Client) Disconnect() error {
	c.out = wire.AppendDisconnect(c.out)
	if err := c.flush(); err != nil {
		return err
	}
	return c.conn.Close()
}

// next returns the next packet, reading when none is buffered. It is valid until the next call.
func (c *Client) next() (wire.Packet, error) {
	for {
		p, n, err := wire.Next(c.in[c.r:c.w])
		if err != nil {
			return p, err
		}
		if n > 0 {
			c.r += n
			return p, nil
		}
		if err := c.fill(); err != nil {
			return p, err
		}
	}
}

// fill reads once, after making room: by moving what is left to the front, or by doubling the buffer.
func (c *Client) fill() error {
	if c.r > 0 {
		c.r, c.w = 0, copy(c.in, c.in[c.r:c.w])
	}
	if c.w == len(c.in) {
		if len(c.in) >= largeBuffer {
			return fmt.Errorf("a packet longer than %d bytes, which nobody sent", len(c.in))
		}
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	n, err := c.conn.Read(c.in[c.w:])
	c.w += n
	c.readAt = now()
	if n > 0 {
		return nil
	}
	return err
}

// buffered says whether another whole packet was read already.
func (c *Client) buffered() bool {
	_, n, err := wire.Next(c.in[c.r:c.w])
	return n > 0 || err != nil
}

// flush writes what was appended to c.out.
func (c *Client) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}
