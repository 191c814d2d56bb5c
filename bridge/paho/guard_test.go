package paho

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
)

// script is a server for one connection after the other, each served by f.
func script(t testing.TB, f func(net.Conn)) *url.URL {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	done.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			done.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		done.Wait()
	})
	return &url.URL{Scheme: "mqtt", Host: ln.Addr().String()}
}

// greet reads CONNECT and accepts.
func greet(c net.Conn) {
	buf := make([]byte, 4096)
	_, _ = c.Read(buf)
	_, _ = c.Write([]byte{0x20, 2, 0, 0})
}

// handler notes what comes in.
type handler struct {
	mu        sync.Mutex
	completed []uint64
	received  []uint64
	msgs      []edged.Message
}

func (h *handler) Completed(seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.completed = append(h.completed, seq)
}

func (h *handler) Received(seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.received = append(h.received, seq)
}

func (h *handler) Message(m edged.Message, ack func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.msgs = append(h.msgs, m)
	ack()
}

func settings(u *url.URL) bridge.Dial {
	return bridge.Dial{URL: u, ClientID: "gw", KeepAlive: time.Minute, AckTimeout: 5 * time.Second, PacketBytes: 1 << 20, Handler: &handler{}}
}

func mustDial(t testing.TB, d bridge.Dial) bridge.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := Dialer(nil)(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func await(t testing.TB, c bridge.Conn) error {
	t.Helper()
	select {
	case <-c.Done():
		return c.Err()
	case <-time.After(10 * time.Second):
		t.Fatal("the connection goes on")
		return nil
	}
}

// TestMalformed: each of these ends the connection with an error that says why, and never the process.
func TestMalformed(t *testing.T) {
	for name, c := range map[string]struct {
		sent []byte
		says string
	}{
		"length of five bytes":       {[]byte{0xD0, 0x80, 0x80, 0x80, 0x80, 0x01}, "remaining length"},
		"length not minimal":         {[]byte{0xD0, 0x80, 0x00}, "remaining length"},
		"longer than packet_bytes":   {[]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, "packet_bytes"},
		"reserved type 0":            {[]byte{0x00, 0}, "not for a client"},
		"AUTH":                       {[]byte{0xF0, 0}, "not for a client"},
		"CONNECT from a server":      {[]byte{0x10, 0}, "not for a client"},
		"second CONNACK":             {[]byte{0x20, 2, 2, 0}, "malformed"},
		"PUBACK without identifier":  {[]byte{0x40, 0}, "wrong length"},
		"PUBACK too long":            {[]byte{0x40, 3, 0, 1, 0}, "wrong length"},
		"PUBACK of identifier 0":     {[]byte{0x40, 2, 0, 0}, "identifier 0"},
		"PUBACK with flags":          {[]byte{0x42, 2, 0, 1}, "reserved flags"},
		"PUBREL without its flags":   {[]byte{0x60, 2, 0, 1}, "reserved flags"},
		"PUBREC for QoS 1":           {[]byte{0x50, 2, 0, 8}, "out of turn"},
		"PUBCOMP before PUBREL":      {[]byte{0x70, 2, 0, 9}, "out of turn"},
		"PUBACK for QoS 2":           {[]byte{0x40, 2, 0, 9}, "out of turn"},
		"SUBACK nobody asked for":    {[]byte{0x90, 3, 0, 1, 0}, "no SUBSCRIBE"},
		"SUBACK without codes":       {[]byte{0x90, 2, 0, 1}, "wrong length"},
		"SUBACK of an unknown code":  {[]byte{0x90, 3, 0, 1, 3}, "return code"},
		"UNSUBACK":                   {[]byte{0xB0, 2, 0, 1}, "not for a client"},
		"PINGRESP with a body":       {[]byte{0xD0, 1, 0}, "wrong length"},
		"PUBLISH QoS 3":              {[]byte{0x36, 5, 0, 1, 'a', 0, 1}, "QoS 3"},
		"PUBLISH without topic":      {[]byte{0x30, 1, 0}, "malformed PUBLISH"},
		"PUBLISH, topic too long":    {[]byte{0x30, 3, 0, 9, 'a'}, "longer than the packet"},
		"PUBLISH, empty topic":       {[]byte{0x30, 2, 0, 0}, "bad topic"},
		"PUBLISH, wildcard":          {[]byte{0x30, 3, 0, 1, '#'}, "bad topic"},
		"PUBLISH, bad UTF-8":         {[]byte{0x30, 3, 0, 1, 0xFF}, "bad topic"},
		"PUBLISH, no identifier":     {[]byte{0x32, 3, 0, 1, 'a'}, "malformed PUBLISH"},
		"PUBLISH, identifier 0":      {[]byte{0x32, 5, 0, 1, 'a', 0, 0}, "identifier 0"},
		"cut in the middle":          {[]byte{0x30, 10, 0}, "middle of a packet"},
		"nothing more":               {nil, "closed the connection"},
		"SUBACK with too many codes": {[]byte{0x90, 4, 0xFA, 0x01, 0, 0}, "no SUBSCRIBE"},
		"text instead of MQTT":       {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "middle of a packet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := make(chan struct{})
			u := script(t, func(conn net.Conn) {
				greet(conn)
				<-sent
				_, _ = conn.Write(c.sent)
				if half, ok := conn.(*net.TCPConn); ok {
					_ = half.CloseWrite()
				}
				_, _ = io.Copy(io.Discard, conn)
			})
			conn := mustDial(t, settings(u))
			if err := errors.Join(conn.Publish(7, edged.Message{Topic: "t", QoS: 1}, false), conn.Publish(8, edged.Message{Topic: "t", QoS: 2}, false)); err != nil {
				t.Fatal(err)
			}
			close(sent)
			if err := await(t, conn); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %q", err, c.says)
			}
			if conn.Publish(9, edged.Message{Topic: "t", QoS: 1}, false) == nil || conn.Release(10, true) == nil || conn.Announce(context.Background(), edged.Message{Topic: "t"}) == nil {
				t.Error("what is sent after the end has no error")
			}
		})
	}
}

// TestUnknownAnswers: answers to what an earlier connection sent are passed over.
func TestUnknownAnswers(t *testing.T) {
	u := script(t, func(c net.Conn) {
		greet(c)
		_, _ = c.Write([]byte{0x40, 2, 0, 50, 0x50, 2, 0, 50, 0x70, 2, 0, 50, 0x40, 2, 0xF0, 0, 0x30, 3, 0, 1, 'a'})
		_, _ = io.Copy(io.Discard, c)
	})
	d := settings(u)
	h := &handler{}
	d.Handler = h
	conn := mustDial(t, d)
	eventually(t, 5*time.Second, "the PUBLISH after them", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.msgs) == 1
	})
	if conn.Err() != nil || len(h.completed)+len(h.received) > 0 {
		t.Errorf("%v, %v, %v", conn.Err(), h.completed, h.received)
	}
}

func TestConnack(t *testing.T) {
	for name, c := range map[string]struct {
		answer  []byte
		refused byte
		says    string
	}{
		"bad user name": {[]byte{0x20, 2, 0, 4}, 4, "user name"},
		"authorised":    {[]byte{0x20, 2, 0, 5}, 5, "not Authorized"},
		"unknown code":  {[]byte{0x20, 2, 0, 6}, 0, "malformed"},
		"code 254":      {[]byte{0x20, 2, 0, 254}, 0, "malformed"},
		"bad flags":     {[]byte{0x20, 2, 4, 0}, 0, "malformed"},
		"too short":     {[]byte{0x20, 1, 0}, 0, "malformed"},
		"PINGRESP":      {[]byte{0xD0, 0}, 0, "CONNACK"},
		"closed":        {nil, 0, "closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := script(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = conn.Write(c.answer)
			})
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_, err := Dialer(nil)(ctx, settings(u))
			var refused *bridge.RefusedError
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, &refused) != (c.refused != 0) {
				t.Fatalf("%v; want %q", err, c.says)
			}
			if refused != nil && refused.Code != c.refused {
				t.Errorf("code %d", refused.Code)
			}
		})
	}
}

func TestSilentServer(t *testing.T) {
	u := script(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := Dialer(nil)(ctx, settings(u))
	if err == nil || !strings.Contains(err.Error(), "does not answer CONNECT") || time.Since(began) > 3*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestLyingLength: a header that claims 16 MiB costs what arrives.
func TestLyingLength(t *testing.T) {
	near, far := net.Pipe()
	g := newGuard(near, newIDs(sequenceIDs), bridge.Dial{AckTimeout: time.Minute, PacketBytes: 32 << 20, Handler: &handler{}})
	var sent sync.WaitGroup
	sent.Go(func() {
		_, _ = far.Write(append([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x07}, make([]byte, 1000)...))
		far.Close()
	})
	if _, err := g.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "middle of a packet") {
		t.Errorf("%v", err)
	}
	sent.Wait()
	g.wait()
	if cap(g.frame) > 64<<10 {
		t.Errorf("a packet of which 1,000 bytes came took %d bytes", cap(g.frame))
	}
}

// TestStalls: a server that takes nothing, and one that takes all and acknowledges nothing, are both noticed.
func TestStalls(t *testing.T) {
	for name, reads := range map[string]bool{"takes nothing": false, "acknowledges nothing": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hold := make(chan struct{})
			u := script(t, func(c net.Conn) {
				greet(c)
				if reads {
					_, _ = io.Copy(io.Discard, c)
				}
				<-hold
			})
			t.Cleanup(func() { close(hold) })
			d := settings(u)
			d.AckTimeout = 300 * time.Millisecond
			conn := mustDial(t, d)
			began := time.Now()
			var err error
			for seq := uint64(1); err == nil && seq < 200; seq++ {
				err = conn.Publish(seq, edged.Message{Topic: "t", QoS: 1, Payload: make([]byte, 100<<10)}, false)
			}
			if err := await(t, conn); err == nil || time.Since(began) > 5*time.Second {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
		})
	}
}

// TestStopWithStalledPeer: the whole of an uplink ends within five seconds though the server takes nothing.
func TestStopWithStalledPeer(t *testing.T) {
	hold := make(chan struct{})
	u := script(t, func(c net.Conn) { greet(c); <-hold })
	t.Cleanup(func() { close(hold) })
	d := newDisk()
	c := config(u.String())
	c.AckTimeout = time.Minute
	p := begin(t, d, c, sequenceIDs)
	big := messages(0, 100, level(2))
	for i := range big {
		big[i].Payload = bytes.Repeat([]byte("x"), 200<<10)
	}
	p.q.append(big...)
	eventually(t, 5*time.Second, "connected", func() bool { return p.u.Stats().State == bridge.Connected })
	began := time.Now()
	p.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

// TestDisconnectArrives: a planned end is seen as one, also while the server sends: nothing takes the DISCONNECT back.
func TestDisconnectArrives(t *testing.T) {
	type end struct {
		last []byte
		err  error
	}
	ends := make(chan end, 1)
	u := script(t, func(c net.Conn) {
		greet(c)
		var flood sync.WaitGroup
		flood.Go(func() {
			packet := append([]byte{0x30, 0x83, 0x08, 0, 1, 'a'}, make([]byte, 1024)...)
			for {
				if _, err := c.Write(packet); err != nil {
					return
				}
			}
		})
		var last []byte
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			last = append(last, buf[:n]...)
			last = last[max(0, len(last)-2):]
			if err != nil {
				ends <- end{last, err}
				c.Close()
				flood.Wait()
				return
			}
		}
	})
	for range 20 {
		conn := mustDial(t, settings(u))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn.Disconnect(ctx)
		cancel()
		if e := <-ends; !bytes.Equal(e.last, []byte{0xE0, 0}) || !errors.Is(e.err, io.EOF) {
			t.Fatalf("the server saw % x, then %v", e.last, e.err)
		}
	}
}
