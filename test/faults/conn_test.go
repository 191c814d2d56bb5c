package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
)

// window is how many messages a publisher has under way.
const window = 20

// retry is the pause between two attempts to connect.
const retry = 10 * time.Millisecond

// who is a client with a session that outlives its connections.
type who struct {
	port    int
	id      string
	version mqtt.Version
}

// connect opens a connection with that session, and says whether the server still knew it.
func (w who) connect(ctx context.Context) (conn *client.Conn, present bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err = client.DialConn(ctx, client.Options{URL: fmt.Sprintf("mqtt://127.0.0.1:%d", w.port), Version: w.version})
	if err != nil {
		return nil, false, err
	}
	hello := &mqtt.Connect{Version: w.version, ClientID: w.id}
	if w.version == mqtt.V5 {
		hello.Properties = &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 100_000}
	}
	if err := conn.Send(hello); err != nil {
		conn.Close()
		return nil, false, err
	}
	p, err := conn.Receive(ctx)
	if err != nil {
		conn.Close()
		return nil, false, err
	}
	ack, ok := p.(*mqtt.Connack)
	if !ok || ack.Code != mqtt.Success {
		conn.Close()
		return nil, false, fmt.Errorf("CONNECT was answered with %+v", p)
	}
	return conn, ack.SessionPresent, nil
}

// run runs f until the test ends, or stop is called, which waits for it.
func run(t *testing.T, f func(ctx context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// persist runs session again and again until ctx is done.
func persist(ctx context.Context, session func(ctx context.Context) error) {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for ctx.Err() == nil {
		_ = session(ctx) // connections end all the time here; what matters is counted
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
