package client

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edged/edged/codec/mqtt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}

// peer is a server that follows a script. Its methods end the script when something else happens.
type peer struct {
	*Conn
	t testing.TB
}

// serve runs script for the first client that connects to the URL it returns. The test waits for its end.
func serve(t testing.TB, v mqtt.Version, script func(p *peer)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return // nobody came
		}
		defer nc.Close()
		script(&peer{Conn: NewConn(nc, Options{Version: v}), t: t})
	}()
	t.Cleanup(func() {
		l.Close()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the script has not ended")
		}
	})
	return "mqtt://" + l.Addr().String()
}

// connected is serve for scripts that begin after CONNACK, and a client connected to it.
func connected(t testing.TB, o Options, ack mqtt.Connack, script func(p *peer)) *Client {
	t.Helper()
	o = o.withDefaults()
	o.URL = serve(t, o.Version, func(p *peer) {
		expect[*mqtt.Connect](p)
		p.send(&ack)
		script(p)
	})
	c, err := Dial(soon(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// expect receives a packet of that type, and ends the script when another one or none comes.
func expect[P mqtt.Packet](p *peer) P {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 18*time.Second)
	defer cancel()
	got, err := p.Receive(ctx)
	want, ok := got.(P)
	if err != nil || !ok {
		p.t.Fatalf("the peer received %T, %v; want %T", got, err, want) // ends this goroutine, and serve's takes note
	}
	return want
}

func (p *peer) send(packets ...mqtt.Packet) {
	p.t.Helper()
	for _, packet := range packets {
		if err := p.Send(packet); err != nil {
			p.t.Errorf("the peer sends %T: %v", packet, err)
		}
	}
}

// rest receives packets until the client closes, and returns their types.
func (p *peer) rest() (types []mqtt.Type) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		packet, err := p.Receive(ctx)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.t.Errorf("the peer waits for the end, got %v", err)
			}
			return types
		}
		types = append(types, packet.Type())
	}
}

func (p *peer) expectRest(want ...mqtt.Type) {
	p.t.Helper()
	if got := p.rest(); !slices.Equal(got, want) {
		p.t.Errorf("the peer received %v until the end, want %v", got, want)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within ten seconds", what)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(time.Millisecond):
		}
	}
}

func receive(t testing.TB, c *Client) mqtt.Publish {
	t.Helper()
	select {
	case m, open := <-c.Messages():
		if !open {
			t.Fatalf("no message: the connection has ended: %v", c.Err())
		}
		return m
	case <-soon(t).Done():
		t.Fatal("no message within ten seconds")
	}
	panic("unreachable")
}

func waitDone(t testing.TB, c *Client) {
	t.Helper()
	select {
	case <-c.Done():
	case <-soon(t).Done():
		t.Fatal("the client has not ended within ten seconds")
	}
}
