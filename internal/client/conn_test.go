package client

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// TestReceiveGoesOn: packets arrive whole however they are cut, and giving up in the middle of one loses nothing.
func TestReceiveGoesOn(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	c, sender := NewConn(here, Options{}), NewConn(there, Options{})
	defer sender.Close()
	m := &mqtt.Publish{Topic: "a", Payload: make([]byte, 200)}
	b, err := m.Append(nil, mqtt.V311)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(b); cut++ {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			errs := []error{sender.SendBytes(b[:cut])}
			cancel()
			errs = append(errs, sender.SendBytes(b[cut:]), sender.Send(&mqtt.Pingresp{}))
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
			}
		}()
		p, err := c.Receive(ctx)
		if errors.Is(err, context.Canceled) {
			p, err = c.Receive(soon(t))
		}
		if got, ok := p.(*mqtt.Publish); err != nil || !ok || len(got.Payload) != 200 {
			t.Fatalf("cut at %d: got %v, %v", cut, p, err)
		}
		if p, err := c.Receive(soon(t)); err != nil || p.Type() != mqtt.PINGRESP {
			t.Fatalf("cut at %d: then %v, %v", cut, p, err)
		}
	}
}

// TestReceivedPacketsAreCopies: an earlier packet does not change when later ones arrive.
func TestReceivedPacketsAreCopies(t *testing.T) {
	here, there := net.Pipe()
	c, sender := NewConn(here, Options{}), NewConn(there, Options{})
	defer c.Close()
	defer sender.Close()
	go func() {
		for _, s := range []string{"aaaa", "bbbb"} {
			if err := sender.Send(&mqtt.Publish{Topic: s, Payload: []byte(s)}); err != nil {
				t.Error(err)
			}
		}
	}()
	p, err := c.Receive(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Receive(soon(t)); err != nil {
		t.Fatal(err)
	}
	if m := p.(*mqtt.Publish); m.Topic != "aaaa" || string(m.Payload) != "aaaa" {
		t.Errorf("became %q, %q", m.Topic, m.Payload)
	}
}

func TestReceiveCutOff(t *testing.T) {
	for sent, want := range map[string]error{"": io.EOF, "\x30": io.ErrUnexpectedEOF, "\x30\x05\x00\x01a": io.ErrUnexpectedEOF} {
		here, there := net.Pipe()
		c := NewConn(here, Options{})
		go func() {
			_, _ = there.Write([]byte(sent)) // the error would show below
			there.Close()
		}()
		if _, err := c.Receive(soon(t)); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", sent, err, want)
		}
		c.Close()
	}
}

// TestLastWord: after DISCONNECT nothing is sent, and the connection can still be read.
func TestLastWord(t *testing.T) {
	here, there := net.Pipe()
	c, p := NewConn(here, Options{}), &peer{Conn: NewConn(there, Options{}), t: t}
	defer c.Close()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		expect[*mqtt.Disconnect](p)
		p.send(&mqtt.Pingresp{})
		p.expectRest()
	}()
	if err := c.write(soon(t), []byte{0xe0, 0}, true); err != nil {
		t.Error(err)
	}
	if err := c.Send(&mqtt.Puback{PacketID: 1}); !errors.Is(err, edged.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Receive(soon(t)); err != nil {
		t.Error(err)
	}
	c.Close()
	<-heard
}

// pipe makes a client over net.Pipe, whose peer has answered CONNECT; for tests with time of their own.
func pipe(t *testing.T, o Options, ack mqtt.Connack) (*Client, *peer) {
	here, there := net.Pipe()
	p := &peer{Conn: NewConn(there, o), t: t}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		expect[*mqtt.Connect](p)
		p.send(&ack)
	}()
	c, err := New(t.Context(), NewConn(here, o), o)
	if err != nil {
		t.Fatal(err)
	}
	<-answered
	return c, p
}

func TestKeepAlive(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		synctest.Test(t, func(t *testing.T) {
			ack, keepAlive := mqtt.Connack{}, 10*time.Second
			if v == mqtt.V5 { // the server's word counts
				keepAlive = 30 * time.Second
				ack.Properties = &mqtt.Properties{Has: mqtt.ServerKeepAlive, ServerKeepAlive: 30}
			}
			c, p := pipe(t, Options{Version: v, KeepAlive: 10 * time.Second}, ack)
			begin := time.Now()
			for i := range 10 {
				expect[*mqtt.Pingreq](p)
				if since, want := time.Since(begin), time.Duration(i+1)*keepAlive/2; since != want {
					t.Errorf("%v: ping after %v, want %v", v, since, want)
				}
				p.send(&mqtt.Pingresp{})
			}
			last := time.Now()
			go io.Copy(io.Discard, p.nc) // takes pings, and does not answer
			<-c.Done()
			if since := time.Since(last); since != keepAlive+keepAlive/2 || c.Err() == nil {
				t.Errorf("%v: given up after %v: %v", v, since, c.Err())
			}
			p.Close()
		})
	}
}

func TestNoKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := pipe(t, Options{KeepAlive: -1}, mqtt.Connack{})
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if got, err := p.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", got, err)
		}
		p.Close()
		<-c.Done()
	})
}

// TestPeerDoesNotRead: whoever sends gets an error in bounded time, sooner when its context ends sooner.
func TestPeerDoesNotRead(t *testing.T) {
	for _, patience := range []time.Duration{time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c, p := pipe(t, Options{}, mqtt.Connack{})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			begin := time.Now()
			_, err := c.Publish(ctx, mqtt.Publish{Topic: "a", QoS: 1})
			if since, want := time.Since(begin), min(patience, writeTimeout); err == nil || since != want {
				t.Errorf("after %v, want %v: %v", since, want, err)
			}
			<-c.Done() // a packet half written makes the connection useless
			if since, want := time.Since(begin), min(patience, writeTimeout); since != want {
				t.Errorf("the connection lived on until %v", since)
			}
			p.Close()
		})
	}
}

// TestPeerDoesNotClose: Disconnect waits a moment for the server, not for ever.
func TestPeerDoesNotClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := pipe(t, Options{}, mqtt.Connack{})
		got := make(chan []mqtt.Type)
		go func() { got <- p.rest() }()
		begin := time.Now()
		if err := c.Disconnect(mqtt.Success); err != nil || time.Since(begin) != lingerTime {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if types := <-got; len(types) != 1 || types[0] != mqtt.DISCONNECT {
			t.Errorf("the server received %v", types)
		}
		p.Close()
	})
}

// FuzzReceive feeds a server's bytes, cut in two, and wants the same packets as without the cut, then an end.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("\x20\x02\x00\x00\x30\x03\x00\x01a\xd0\x00"), uint16(5))
	f.Add([]byte("\x30\xff\xff\xff\x7f"), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		types := func(parts ...[]byte) (types []mqtt.Type, end error) {
			here, there := net.Pipe()
			c, sender := NewConn(here, Options{MaxPacket: 1000}), make(chan struct{})
			go func() {
				defer close(sender)
				defer there.Close()
				for _, part := range parts {
					if _, err := there.Write(part); err != nil {
						return // the receiver has had enough
					}
				}
			}()
			for {
				p, err := c.Receive(context.Background())
				if err != nil {
					c.Close()
					<-sender
					return types, err
				}
				types = append(types, p.Type())
			}
		}
		at := int(cut) % (len(b) + 1)
		whole, end := types(b)
		parts, endParts := types(b[:at], b[at:])
		if !slices.Equal(whole, parts) || end.Error() != endParts.Error() {
			t.Errorf("%q: %v, %v; cut at %d: %v, %v", b, whole, end, at, parts, endParts)
		}
	})
}
