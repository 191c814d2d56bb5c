package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

func TestConnectSaysWhatOptionsSay(t *testing.T) {
	for _, v := range versions {
		got := make(chan *mqtt.Connect, 1)
		url := serve(t, v, func(p *peer) {
			got <- expect[*mqtt.Connect](p)
			p.send(&mqtt.Connack{SessionPresent: v != mqtt.V31})
			p.expectRest(mqtt.DISCONNECT)
		})
		c, err := Dial(soon(t), Options{
			URL: url, Version: v, ClientID: "x", KeepAlive: 1500 * time.Millisecond, Username: "u", Password: []byte("p"),
			Will: &mqtt.Will{Topic: "w", Payload: []byte("gone"), QoS: 1, Retain: true},
		})
		if err != nil {
			t.Fatal(v, err)
		}
		if c.Connack().SessionPresent != (v != mqtt.V31) {
			t.Errorf("%v: session present is %v", v, c.Connack().SessionPresent)
		}
		if err := c.Disconnect(mqtt.Success); err != nil || c.Err() != nil {
			t.Errorf("%v: Disconnect: %v; Err: %v", v, err, c.Err())
		}
		p := <-got
		if p.Version != v || p.CleanStart || p.ClientID != "x" || p.KeepAlive != 2 || p.Username != "u" || string(p.Password) != "p" || p.Will == nil || p.Will.Topic != "w" || !p.Will.Retain {
			t.Errorf("%v: got %+v", v, p)
		}
		if v == mqtt.V5 && (p.Properties == nil || p.Properties.MaximumPacketSize != defaultMaxPacket) {
			t.Errorf("%v: properties %+v", v, p.Properties)
		}
	}
}

func TestDialRefused(t *testing.T) {
	for _, v := range versions {
		url := serve(t, v, func(p *peer) {
			expect[*mqtt.Connect](p)
			p.send(&mqtt.Connack{Code: mqtt.NotAuthorized, Properties: &mqtt.Properties{Has: mqtt.ReasonString, ReasonString: "go away"}})
			p.expectRest()
		})
		_, err := Dial(soon(t), Options{URL: url, Version: v, ClientID: "x"})
		var refused *CodeError
		if !errors.As(err, &refused) || refused.Packet != mqtt.CONNACK || refused.Code != mqtt.NotAuthorized {
			t.Errorf("%v: got %v", v, err)
		}
		if v == mqtt.V5 && !strings.Contains(err.Error(), "go away") {
			t.Errorf("%v: no reason string in %q", v, err)
		}
	}
}

func TestDialNotAnswered(t *testing.T) {
	url := serve(t, mqtt.V311, func(p *peer) { expect[*mqtt.Connect](p) })
	if _, err := Dial(soon(t), Options{URL: url}); err == nil || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("closed: got %v", err)
	}
	url = serve(t, mqtt.V311, func(p *peer) { expect[*mqtt.Connect](p); p.send(&mqtt.Pingresp{}); p.expectRest() })
	if _, err := Dial(soon(t), Options{URL: url}); err == nil || !strings.Contains(err.Error(), "PINGRESP") {
		t.Errorf("wrong packet: got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	url = serve(t, mqtt.V311, func(p *peer) { expect[*mqtt.Connect](p); cancel(); p.expectRest() })
	if _, err := Dial(ctx, Options{URL: url}); !errors.Is(err, context.Canceled) {
		t.Errorf("silent: got %v", err)
	}
}

// TestMessages: each quality of service is answered as the standard says, and a repeated QoS 2 message is one message.
func TestMessages(t *testing.T) {
	for _, v := range versions {
		done := make(chan struct{})
		c := connected(t, Options{Version: v, ClientID: "x"}, mqtt.Connack{}, func(p *peer) {
			p.send(&mqtt.Publish{Topic: "a", Payload: []byte("0")}, &mqtt.Publish{Topic: "a", QoS: 1, PacketID: 7, Payload: []byte("1")})
			if ack := expect[*mqtt.Puback](p); ack.PacketID != 7 {
				t.Errorf("PUBACK for %d", ack.PacketID)
			}
			m := &mqtt.Publish{Topic: "a", QoS: 2, PacketID: 7, Payload: []byte("2")}
			p.send(m)
			expect[*mqtt.Pubrec](p)
			m.Dup = true
			p.send(m)
			expect[*mqtt.Pubrec](p)
			p.send(&mqtt.Pubrel{PacketID: 7})
			if comp := expect[*mqtt.Pubcomp](p); comp.PacketID != 7 || comp.Code != mqtt.Success {
				t.Errorf("got %+v", comp)
			}
			p.send(&mqtt.Pubrel{PacketID: 8}) // from an earlier connection
			if comp := expect[*mqtt.Pubcomp](p); comp.PacketID != 8 || (v == mqtt.V5) != (comp.Code == mqtt.PacketIdentifierNotFound) {
				t.Errorf("got %+v", comp)
			}
			m.Dup, m.Payload = false, []byte("3") // the identifier is free again
			p.send(m)
			expect[*mqtt.Pubrec](p)
			close(done)
			p.expectRest(mqtt.DISCONNECT)
		})
		for _, want := range []string{"0", "1", "2", "3"} {
			if m := receive(t, c); string(m.Payload) != want || m.Topic != "a" {
				t.Errorf("%v: got %q, want %q", v, m.Payload, want)
			}
		}
		<-done
		if err := c.Disconnect(mqtt.Success); err != nil {
			t.Error(err)
		}
	}
}

// TestNotTakenIsNotAcknowledged: a message that nobody has read stays the server's.
func TestNotTakenIsNotAcknowledged(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		c := connected(t, Options{}, mqtt.Connack{}, func(p *peer) {
			p.send(&mqtt.Publish{Topic: "a", QoS: qos, PacketID: 1})
			p.expectRest(mqtt.DISCONNECT)
		})
		eventually(t, "the message arrives", c.handing.Load)
		if err := c.Disconnect(mqtt.Success); err != nil {
			t.Error(err)
		}
		if m, open := <-c.Messages(); open {
			t.Errorf("got %v after the end", m)
		}
	}
}

// TestStoppedAcknowledgesNothing: the connection is nil, so that an attempt would not go unseen.
func TestStoppedAcknowledgesNothing(t *testing.T) {
	c := &Client{messages: make(chan mqtt.Publish), stop: make(chan struct{})}
	close(c.stop)
	if err := c.publish(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 1}); err != nil {
		t.Error(err)
	}
}

// TestBackPressure: while nobody reads the messages, the client does not swallow them, and says what is wrong.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const buffer = 3
		c, p := pipe(t, Options{Buffer: buffer}, mqtt.Connack{})
		m := &mqtt.Publish{Topic: "a", Payload: make([]byte, 2*readChunk)}
		taken := 0
		for p.Send(m) == nil { // ends when the client has not read for writeTimeout
			taken++
		}
		if taken != buffer+1 { // one more waits to be handed over
			t.Errorf("the client took %d messages, want %d", taken, buffer+1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.late(ctx, ""); !strings.Contains(err.Error(), "Messages") {
			t.Errorf("got %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestServerDisconnects: the reason reaches whoever asks.
func TestServerDisconnects(t *testing.T) {
	c := connected(t, Options{Version: mqtt.V5}, mqtt.Connack{}, func(p *peer) {
		expect[*mqtt.Publish](p)
		p.send(&mqtt.Disconnect{Code: mqtt.SessionTakenOver})
	})
	_, err := c.Publish(soon(t), mqtt.Publish{Topic: "a", QoS: 1})
	waitDone(t, c)
	for _, err := range []error{err, c.Err()} {
		var reason *CodeError
		if !errors.As(err, &reason) || reason.Packet != mqtt.DISCONNECT || reason.Code != mqtt.SessionTakenOver {
			t.Errorf("got %v", err)
		}
	}
	if _, err := c.Publish(soon(t), mqtt.Publish{Topic: "a"}); err == nil {
		t.Error("publishes after the end")
	}
}

func TestServerVanishes(t *testing.T) {
	c := connected(t, Options{}, mqtt.Connack{}, func(*peer) {})
	waitDone(t, c)
	if !errors.Is(c.Err(), io.EOF) {
		t.Errorf("got %v", c.Err())
	}
}

// TestServerBreaksTheRules: a version 5 server is told what it did.
func TestServerBreaksTheRules(t *testing.T) {
	for what, bytes := range map[string]string{
		"malformed":             "\x36\x03\x00\x01a",
		"reserved type":         "\x00\x00",
		"a client's packet":     "\xc0\x00",
		"unknown PUBACK":        "\x40\x02\x00\x01",
		"unknown PUBREC":        "\x50\x02\x00\x01",
		"unknown SUBACK":        "\x90\x04\x00\x01\x00\x00",
		"length over the limit": "\x30\xff\xff\xff\x7f",
		"second CONNACK":        "\x20\x03\x00\x00\x00",
	} {
		told := make(chan mqtt.ReasonCode, 1)
		c := connected(t, Options{Version: mqtt.V5, MaxPacket: 1000}, mqtt.Connack{}, func(p *peer) {
			if err := p.SendBytes([]byte(bytes)); err != nil {
				t.Error(err)
			}
			told <- expect[*mqtt.Disconnect](p).Code
			p.expectRest()
		})
		waitDone(t, c)
		var bad *mqtt.Error
		if code := <-told; !errors.As(c.Err(), &bad) || code != bad.Code || !code.Failed() {
			t.Errorf("%s: told %v, Err is %v", what, code, c.Err())
		}
	}
}

// TestDisconnectIsHeard: DISCONNECT reaches a server that has been sending all the time, so no will is published.
func TestDisconnectIsHeard(t *testing.T) {
	for range 20 {
		begun := make(chan struct{})
		c := connected(t, Options{}, mqtt.Connack{}, func(p *peer) {
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for i := 0; ; i++ {
					if err := p.Send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 1, Payload: make([]byte, 10000)}); err != nil {
						return
					}
					if i == 10 {
						close(begun)
					}
				}
			}()
			var last mqtt.Type
			for {
				packet, err := p.Receive(t.Context())
				if err != nil {
					break
				}
				last = packet.Type()
			}
			p.Close()
			<-sent
			if last != mqtt.DISCONNECT {
				t.Errorf("the last packet was %v", last)
			}
		})
		go func() {
			for range c.Messages() {
			}
		}()
		<-begun
		if err := c.Disconnect(mqtt.Success); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseFromManySides(t *testing.T) {
	c := connected(t, Options{}, mqtt.Connack{}, func(p *peer) { p.rest() })
	errs := make(chan error)
	go func() { _, err := c.Subscribe(context.Background(), mqtt.Filter{Filter: "a"}); errs <- err }()
	eventually(t, "SUBSCRIBE waits", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.waiting) == 1 })
	ends := make(chan struct{})
	for i := range 4 {
		go func() {
			if i%2 == 0 {
				_ = c.Close() // which of them is first is not the point
			} else {
				_ = c.Disconnect(mqtt.Success)
			}
			ends <- struct{}{}
		}()
	}
	for range 4 {
		<-ends
	}
	if err := <-errs; !errors.Is(err, edged.ErrClosed) || c.Err() != nil {
		t.Errorf("got %v; Err %v", err, c.Err())
	}
}

// TestLyingLength: a header that claims much makes no room for it.
func TestLyingLength(t *testing.T) {
	c := connected(t, Options{MaxPacket: mqtt.MaxLength}, mqtt.Connack{}, func(p *peer) {
		if err := p.SendBytes(append([]byte{0x30, 0xff, 0xff, 0xff, 0x3f, 0, 1, 'a'}, bytes.Repeat([]byte("x"), 1000)...)); err != nil {
			t.Error(err)
		}
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	waitDone(t, c)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 || !errors.Is(c.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes for a packet that did not come; %v", grown, c.Err())
	}
}
