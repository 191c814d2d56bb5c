package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/edged/edged/codec/mqtt"
)

func TestPublish(t *testing.T) {
	for _, v := range versions {
		c := connected(t, Options{Version: v, ClientID: "x"}, mqtt.Connack{}, func(p *peer) {
			m := expect[*mqtt.Publish](p)
			if m.QoS != 0 || string(m.Payload) != "0" || !m.Retain {
				t.Errorf("got %+v", m)
			}
			m = expect[*mqtt.Publish](p)
			if m.QoS != 1 || m.Dup || m.PacketID == 99 {
				t.Errorf("got %+v", m)
			}
			p.send(&mqtt.Puback{PacketID: m.PacketID})
			m = expect[*mqtt.Publish](p)
			p.send(&mqtt.Pubrec{PacketID: m.PacketID})
			if rel := expect[*mqtt.Pubrel](p); rel.PacketID != m.PacketID {
				t.Errorf("PUBREL for %d, want %d", rel.PacketID, m.PacketID)
			}
			p.send(&mqtt.Pubcomp{PacketID: m.PacketID})
			p.expectRest(mqtt.DISCONNECT)
		})
		for _, m := range []mqtt.Publish{
			{Topic: "a", Payload: []byte("0"), Retain: true},
			{Topic: "a", QoS: 1, PacketID: 99, Dup: true},
			{Topic: "a", QoS: 2},
		} {
			if code, err := c.Publish(soon(t), m); code != mqtt.Success || err != nil {
				t.Errorf("%v: QoS %d: %v, %v", v, m.QoS, code, err)
			}
		}
		if err := c.Disconnect(mqtt.Success); err != nil {
			t.Error(err)
		}
		if len(c.waiting) != 0 || len(c.quota) != 0 {
			t.Errorf("%d requests and %d of the receive maximum left", len(c.waiting), len(c.quota))
		}
	}
}

// TestPublishRefused: what the server did not take is an error, wherever it says so.
func TestPublishRefused(t *testing.T) {
	c := connected(t, Options{Version: mqtt.V5}, mqtt.Connack{}, func(p *peer) {
		p.send(&mqtt.Puback{PacketID: expect[*mqtt.Publish](p).PacketID, Code: mqtt.QuotaExceeded})
		p.send(&mqtt.Pubrec{PacketID: expect[*mqtt.Publish](p).PacketID, Code: mqtt.NotAuthorized})
		m := expect[*mqtt.Publish](p)
		p.send(&mqtt.Puback{PacketID: m.PacketID, Code: mqtt.NoMatchingSubscribers})
		p.expectRest(mqtt.DISCONNECT)
	})
	for i, want := range []mqtt.ReasonCode{mqtt.QuotaExceeded, mqtt.NotAuthorized, mqtt.NoMatchingSubscribers} {
		code, err := c.Publish(soon(t), mqtt.Publish{Topic: "a/b", QoS: []byte{1, 2, 1}[i]})
		var refused *CodeError
		if code != want || errors.As(err, &refused) != want.Failed() {
			t.Errorf("got %v, %v; want %v", code, err, want)
		}
		if err != nil && (refused.Subject != "a/b" || !strings.Contains(err.Error(), want.String())) {
			t.Errorf("got %v", err)
		}
	}
	if err := c.Disconnect(mqtt.DisconnectWithWillMessage); err != nil {
		t.Error(err)
	}
}

// TestGivingUp: an identifier and its part of the receive maximum stay taken until the server answers, not until the
// caller loses patience.
func TestGivingUp(t *testing.T) {
	first, again := make(chan struct{}), make(chan struct{})
	c := connected(t, Options{Version: mqtt.V5}, mqtt.Connack{Properties: &mqtt.Properties{Has: mqtt.ReceiveMaximum, ReceiveMaximum: 1}}, func(p *peer) {
		m := expect[*mqtt.Publish](p)
		close(first)
		<-again
		p.send(&mqtt.Pubrec{PacketID: m.PacketID})
		expect[*mqtt.Pubrel](p)
		p.send(&mqtt.Pubcomp{PacketID: m.PacketID})
		next := expect[*mqtt.Publish](p)
		if next.Topic != "c" {
			t.Errorf("got %q, want c: the receive maximum was exceeded", next.Topic)
		}
		p.send(&mqtt.Puback{PacketID: next.PacketID})
		p.expectRest(mqtt.DISCONNECT)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-first; cancel() }()
	if _, err := c.Publish(ctx, mqtt.Publish{Topic: "a", QoS: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Publish(ctx, mqtt.Publish{Topic: "b", QoS: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(again)
	if _, err := c.Publish(soon(t), mqtt.Publish{Topic: "c", QoS: 1}); err != nil {
		t.Error(err)
	}
	if err := c.Disconnect(mqtt.Success); err != nil || len(c.waiting) != 0 || len(c.quota) != 0 {
		t.Errorf("%v; %d requests and %d of the receive maximum left", err, len(c.waiting), len(c.quota))
	}
}

func TestSubscribe(t *testing.T) {
	for _, v := range versions {
		c := connected(t, Options{Version: v, ClientID: "x"}, mqtt.Connack{}, func(p *peer) {
			s := expect[*mqtt.Subscribe](p)
			if len(s.Filters) != 2 || s.Filters[1].Filter != "b/#" || s.Filters[1].QoS != 1 {
				t.Errorf("got %+v", s)
			}
			p.send(&mqtt.Suback{PacketID: s.PacketID, Codes: []mqtt.ReasonCode{mqtt.GrantedQoS2, mqtt.UnspecifiedError}})
			u := expect[*mqtt.Unsubscribe](p)
			codes := []mqtt.ReasonCode{mqtt.Success, mqtt.NoSubscriptionExisted}
			if v != mqtt.V5 {
				codes = nil
			}
			p.send(&mqtt.Unsuback{PacketID: u.PacketID, Codes: codes})
			p.expectRest(mqtt.DISCONNECT)
		})
		codes, err := c.Subscribe(soon(t), mqtt.Filter{Filter: "a", QoS: 2}, mqtt.Filter{Filter: "b/#", QoS: 1})
		var refused *CodeError
		if !slices.Equal(codes, []mqtt.ReasonCode{mqtt.GrantedQoS2, mqtt.UnspecifiedError}) || !errors.As(err, &refused) || refused.Subject != "b/#" {
			t.Errorf("%v: got %v, %v", v, codes, err)
		}
		codes, err = c.Unsubscribe(soon(t), "a", "b")
		if len(codes) != 2 || err != nil || v == mqtt.V5 && codes[1] != mqtt.NoSubscriptionExisted {
			t.Errorf("%v: got %v, %v", v, codes, err)
		}
		if err := c.Disconnect(mqtt.Success); err != nil {
			t.Error(err)
		}
	}
}

func TestSubscribeWithProperties(t *testing.T) {
	c := connected(t, Options{Version: mqtt.V5}, mqtt.Connack{}, func(p *peer) {
		s := expect[*mqtt.Subscribe](p)
		if s.Properties == nil || !slices.Equal(s.Properties.SubscriptionIdentifiers, []uint32{5}) {
			t.Errorf("got %+v", s.Properties)
		}
		p.send(&mqtt.Suback{PacketID: s.PacketID, Codes: []mqtt.ReasonCode{0, 0}}) // one too many
		expect[*mqtt.Disconnect](p)
	})
	_, err := c.SubscribeWith(soon(t), &mqtt.Properties{SubscriptionIdentifiers: []uint32{5}}, mqtt.Filter{Filter: "a"})
	var bad *mqtt.Error
	if !errors.As(err, &bad) {
		t.Errorf("got %v", err)
	}
	waitDone(t, c) // the server is told
}

// TestTooLongForTheServer: the server has said how much it takes; more is refused here, and the connection lives on.
func TestTooLongForTheServer(t *testing.T) {
	c := connected(t, Options{Version: mqtt.V5}, mqtt.Connack{Properties: &mqtt.Properties{Has: mqtt.MaximumPacketSize | mqtt.ReceiveMaximum, MaximumPacketSize: 100, ReceiveMaximum: 1}}, func(p *peer) {
		p.send(&mqtt.Puback{PacketID: expect[*mqtt.Publish](p).PacketID})
		p.expectRest(mqtt.DISCONNECT)
	})
	for _, m := range []mqtt.Publish{{Topic: "a", QoS: 1, Payload: make([]byte, 100)}, {Topic: "a/#", QoS: 1}} {
		if _, err := c.Publish(soon(t), m); err == nil {
			t.Errorf("%q with %d bytes was sent", m.Topic, len(m.Payload))
		}
	}
	if _, err := c.Publish(soon(t), mqtt.Publish{Topic: "a", QoS: 1, Payload: make([]byte, 80)}); err != nil {
		t.Error(err)
	}
	if err := c.Disconnect(mqtt.Success); err != nil {
		t.Error(err)
	}
}

// TestIdentifiers: 0 and those in use are passed by, and a caller is told when none is left.
func TestIdentifiers(t *testing.T) {
	c := &Client{waiting: map[uint16]*request{}, lastID: 65534}
	c.waiting[65535], c.waiting[1] = &request{}, &request{}
	if id, err := c.register(&request{}); id != 2 || err != nil {
		t.Errorf("got %d, %v; want 2", id, err)
	}
	for len(c.waiting) < 65535 {
		if _, err := c.register(&request{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.register(&request{}); err == nil {
		t.Error("a 65,536th identifier was found")
	}
}

// TestForget: what was answered before it was asked has given back its part of the receive maximum already.
func TestForget(t *testing.T) {
	r := &request{}
	c := &Client{waiting: map[uint16]*request{1: r, 2: {}}}
	if !c.forget(0, r) || !c.forget(1, r) || c.forget(1, r) || c.forget(2, r) || len(c.waiting) != 1 {
		t.Errorf("%d wait, want another one's request alone", len(c.waiting))
	}
}
