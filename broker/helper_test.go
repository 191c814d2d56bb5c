package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

var versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}

// peer is a client that follows no rule but the test's.
type peer struct {
	t   *testing.T
	nc  net.Conn
	v   mqtt.Version
	buf []byte
	ack *mqtt.Connack
}

func dial(t *testing.T, r *brokertest.Running) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, nc: nc, v: mqtt.V311}
	t.Cleanup(func() { p.nc.Close() })
	return p
}

// connect dials, sends CONNECT and wants success.
func connect(t *testing.T, r *brokertest.Running, c mqtt.Connect) *peer {
	t.Helper()
	p := dial(t, r)
	if p.v = c.Version; p.v == 0 {
		p.v, c.Version = mqtt.V311, mqtt.V311
	}
	p.send(&c)
	p.ack = expect[*mqtt.Connack](p)
	if p.ack.Code != mqtt.Success {
		t.Fatalf("CONNACK %v", p.ack.Code)
	}
	return p
}

// client connects with a clean session of version v.
func clean(t *testing.T, r *brokertest.Running, id string, v mqtt.Version) *peer {
	t.Helper()
	return connect(t, r, mqtt.Connect{Version: v, ClientID: id, CleanStart: true})
}

// kept connects with a session that never expires.
func kept(t *testing.T, r *brokertest.Running, id string, v mqtt.Version) *peer {
	t.Helper()
	c := mqtt.Connect{Version: v, ClientID: id}
	if v == mqtt.V5 {
		c.Properties = &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 1<<32 - 1}
	}
	return connect(t, r, c)
}

func (p *peer) send(packets ...mqtt.Packet) {
	p.t.Helper()
	var b []byte
	for _, x := range packets {
		var err error
		if b, err = x.Append(b, p.v); err != nil {
			p.t.Fatal(err)
		}
	}
	p.bytes(b)
}

func (p *peer) bytes(b []byte) {
	p.t.Helper()
	p.nc.SetWriteDeadline(time.Now().Add(patience))
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// next returns the next packet; io.EOF: the connection has ended.
func (p *peer) next(wait time.Duration) (mqtt.Packet, error) {
	p.nc.SetReadDeadline(time.Now().Add(wait))
	for {
		h, n, err := mqtt.ParseHeader(p.buf)
		if err != nil {
			return nil, err
		}
		if n > 0 && len(p.buf) >= n+h.Length {
			body := append([]byte(nil), p.buf[n:n+h.Length]...)
			p.buf = p.buf[n+h.Length:]
			return mqtt.Parse(h, body, p.v)
		}
		var scratch [4096]byte
		k, err := p.nc.Read(scratch[:])
		p.buf = append(p.buf, scratch[:k]...)
		if err != nil && k == 0 {
			return nil, err
		}
	}
}

func expect[P mqtt.Packet](p *peer) P {
	p.t.Helper()
	x, err := p.next(patience)
	if err != nil {
		p.t.Fatalf("want %T, got %v", *new(P), err)
	}
	got, ok := x.(P)
	if !ok {
		p.t.Fatalf("want %T, got %#v", *new(P), x)
	}
	return got
}

// quiet proves that nothing is on its way: the answer to a ping comes first.
func (p *peer) quiet() {
	p.t.Helper()
	p.send(&mqtt.Pingreq{})
	expect[*mqtt.Pingresp](p)
}

// expectEnd wants the connection to end, in version 5 with that reason.
func (p *peer) expectEnd(code mqtt.ReasonCode) {
	p.t.Helper()
	for {
		x, err := p.next(patience)
		if d, ok := x.(*mqtt.Disconnect); ok {
			if d.Code != code {
				p.t.Fatalf("DISCONNECT %v, want %v", d.Code, code)
			}
			code = 0
			continue
		}
		if err == nil {
			continue
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			p.t.Fatal("the connection does not end")
		}
		if p.v == mqtt.V5 && code != 0 {
			p.t.Fatalf("no DISCONNECT, want %v (%v)", code, err)
		}
		if !errors.Is(err, io.EOF) && code != 0 && p.v == mqtt.V5 {
			p.t.Fatalf("ended with %v", err)
		}
		return
	}
}

func (p *peer) subscribe(filters ...mqtt.Filter) {
	p.t.Helper()
	p.send(&mqtt.Subscribe{PacketID: 9, Filters: filters})
	ack := expect[*mqtt.Suback](p)
	for i, code := range ack.Codes {
		if code != mqtt.ReasonCode(filters[i].QoS) {
			p.t.Fatalf("SUBACK %v for %v", code, filters[i])
		}
	}
}

// publish sends one message and waits until it is acknowledged.
func (p *peer) publish(m mqtt.Publish) {
	p.t.Helper()
	if m.QoS > 0 && m.PacketID == 0 {
		m.PacketID = 1
	}
	p.send(&m)
	switch m.QoS {
	case 1:
		if a := expect[*mqtt.Puback](p); a.PacketID != m.PacketID || a.Code.Failed() {
			p.t.Fatalf("%+v", a)
		}
	case 2:
		if a := expect[*mqtt.Pubrec](p); a.PacketID != m.PacketID || a.Code.Failed() {
			p.t.Fatalf("%+v", a)
		}
		p.send(&mqtt.Pubrel{PacketID: m.PacketID})
		if a := expect[*mqtt.Pubcomp](p); a.PacketID != m.PacketID {
			p.t.Fatalf("%+v", a)
		}
	}
}

// receive takes one message and acknowledges it in full.
func (p *peer) receive() *mqtt.Publish {
	p.t.Helper()
	m := expect[*mqtt.Publish](p)
	switch m.QoS {
	case 1:
		p.send(&mqtt.Puback{PacketID: m.PacketID})
	case 2:
		p.send(&mqtt.Pubrec{PacketID: m.PacketID})
		if rel := expect[*mqtt.Pubrel](p); rel.PacketID != m.PacketID {
			p.t.Fatalf("PUBREL %d, want %d", rel.PacketID, m.PacketID)
		}
		p.send(&mqtt.Pubcomp{PacketID: m.PacketID})
	}
	return m
}

func (p *peer) disconnect() {
	p.t.Helper()
	p.send(&mqtt.Disconnect{})
	p.expectEnd(0)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-ctx.Done():
			t.Fatalf("not in %v: %s", patience, what)
		case <-tick.C:
		}
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
