package interop_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
	"github.com/edged/edged/test/peers"
)

// wire is a client that sends and expects single packets.
type wire struct {
	*client.Conn
	t *testing.T
}

func connectWire(t *testing.T, port int, c mqtt.Connect, present bool) *wire {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peers.Patience)
	defer cancel()
	conn, err := client.DialConn(ctx, client.Options{URL: fmt.Sprintf("mqtt://127.0.0.1:%d", port), Version: c.Version})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{conn, t}
	t.Cleanup(func() { _ = conn.Close() })
	w.send(&c)
	if ack := next[*mqtt.Connack](w); ack.Code != mqtt.Success || ack.SessionPresent != present {
		t.Fatalf("%s: CONNACK %v, session present %v, want %v", c.ClientID, ack.Code, ack.SessionPresent, present)
	}
	return w
}

func (w *wire) send(packets ...mqtt.Packet) {
	w.t.Helper()
	for _, p := range packets {
		if err := w.Send(p); err != nil {
			w.t.Fatal(err)
		}
	}
}

func next[P mqtt.Packet](w *wire) P {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), peers.Patience)
	defer cancel()
	p, err := w.Receive(ctx)
	got, ok := p.(P)
	if !ok {
		w.t.Fatalf("want %T, got %T %+v, %v", got, p, p, err)
	}
	return got
}

// message wants a PUBLISH with that payload.
func (w *wire) message(payload string) *mqtt.Publish {
	w.t.Helper()
	m := next[*mqtt.Publish](w)
	if string(m.Payload) != payload {
		w.t.Fatalf("want %q, got %q on %s", payload, m.Payload, m.Topic)
	}
	return m
}

// keptFor1000s is a version 5 session that outlives its connections.
func keptFor1000s(id string) mqtt.Connect {
	return mqtt.Connect{Version: mqtt.V5, ClientID: id, KeepAlive: 60,
		Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 1000}}
}

// All that a session is survives SIGKILL, on the real store: its subscriptions, what waits, what is in flight in both
// directions, delayed wills and retained messages.
func TestSessionsSurviveSIGKILL(t *testing.T) {
	e := peers.StartEdged(t, binary, "", "")
	reader := keptFor1000s("reader")
	sub := connectWire(t, e.Port, reader, false)
	sub.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "in/#", QoS: 2}, {Filter: "$share/g/jobs", QoS: 1}, {Filter: "will", QoS: 1}}})
	next[*mqtt.Suback](sub)
	writer := mqtt.Connect{Version: mqtt.V311, ClientID: "writer", KeepAlive: 60}
	pub := connectWire(t, e.Port, writer, false)

	pub.send(&mqtt.Publish{Topic: "in/1", QoS: 1, PacketID: 1, Payload: []byte("not acknowledged")},
		&mqtt.Publish{Topic: "in/2", QoS: 2, PacketID: 2, Payload: []byte("released")})
	next[*mqtt.Puback](pub)
	next[*mqtt.Pubrec](pub)
	pub.send(&mqtt.Pubrel{PacketID: 2})
	next[*mqtt.Pubcomp](pub)
	first := sub.message("not acknowledged")
	second := sub.message("released")
	sub.send(&mqtt.Pubrec{PacketID: second.PacketID})
	if rel := next[*mqtt.Pubrel](sub); rel.PacketID != second.PacketID {
		t.Fatalf("PUBREL %d, want %d", rel.PacketID, second.PacketID)
	}
	_ = sub.Close()

	dying := keptFor1000s("dying")
	dying.Will = &mqtt.Will{Topic: "will", QoS: 1, Payload: []byte("gone"), Properties: &mqtt.Properties{Has: mqtt.WillDelayInterval, WillDelayInterval: 3}}
	d := connectWire(t, e.Port, dying, false)
	d.send(&mqtt.Disconnect{Code: mqtt.DisconnectWithWillMessage})
	ctx, cancel := context.WithTimeout(t.Context(), peers.Patience)
	defer cancel()
	if p, err := d.Receive(ctx); err == nil {
		t.Fatalf("%+v instead of the end of the connection", p)
	}

	pub.send(&mqtt.Publish{Topic: "jobs", QoS: 1, PacketID: 3, Payload: []byte("shared")},
		&mqtt.Publish{Topic: "in/state", QoS: 1, PacketID: 4, Retain: true, Payload: []byte("retained")},
		&mqtt.Publish{Topic: "in/3", QoS: 2, PacketID: 77, Payload: []byte("taken in")})
	next[*mqtt.Puback](pub)
	next[*mqtt.Puback](pub)
	next[*mqtt.Pubrec](pub) // and no PUBREL yet
	e.Kill(t)
	e.Start(t)

	pub = connectWire(t, e.Port, writer, true)
	pub.send(&mqtt.Publish{Dup: true, Topic: "in/3", QoS: 2, PacketID: 77, Payload: []byte("taken in")})
	next[*mqtt.Pubrec](pub)
	pub.send(&mqtt.Pubrel{PacketID: 77})
	next[*mqtt.Pubcomp](pub)

	sub = connectWire(t, e.Port, reader, true)
	if m := sub.message("not acknowledged"); m.PacketID != first.PacketID || m.QoS != 1 {
		t.Errorf("%+v, it was %+v", m, first)
	}
	if rel := next[*mqtt.Pubrel](sub); rel.PacketID != second.PacketID {
		t.Errorf("PUBREL %d, want %d", rel.PacketID, second.PacketID)
	}
	sub.message("shared")
	sub.message("retained")
	sub.message("taken in")
	sub.message("gone") // once, and nothing twice
	sub.send(&mqtt.Pingreq{})
	next[*mqtt.Pingresp](sub)

	connectWire(t, e.Port, keptFor1000s("dying"), true)
	late := connectWire(t, e.Port, mqtt.Connect{Version: mqtt.V311, ClientID: "late", CleanStart: true, KeepAlive: 60}, false)
	late.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "in/state"}}})
	next[*mqtt.Suback](late)
	if m := late.message("retained"); !m.Retain {
		t.Errorf("%+v", m)
	}
	// The subscriptions hold.
	pub.send(&mqtt.Publish{Topic: "jobs", QoS: 1, PacketID: 5, Payload: []byte("another")})
	next[*mqtt.Puback](pub)
	sub.message("another")
}
