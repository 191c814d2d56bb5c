package clients

import (
	"bytes"
	"testing"
	"time"
)

// scene is where a case plays: one kind of client, one listener, one version, and topics and clients of its own.
type scene struct {
	*testing.T
	kind    kind
	version byte
	url     string
	base    string // of its topics and client identifiers
}

// open connects; the client is cut off at the end of the case if it is still there.
func (s *scene) open(name string, o options) (c client, present bool) {
	s.Helper()
	o.URL, o.CA, o.ID, o.Version = s.url, in("server.pem"), s.base+"-"+name, s.version
	c, present, err := s.kind.connect(o)
	if err != nil {
		s.Fatalf("%s connects: %v", name, err)
	}
	s.Cleanup(func() { _ = c.end(true) }) // most have ended
	return c, present
}

// new connects with a session that ends with the connection.
func (s *scene) new(name string) client {
	s.Helper()
	c, _ := s.open(name, options{})
	return c
}

func (s *scene) subscribe(c client, filter string, qos byte) {
	s.Helper()
	s.subscribeAs(c, filter, qos, 0)
}

func (s *scene) subscribeAs(c client, filter string, qos byte, id int) {
	s.Helper()
	if code, err := c.subscribe(filter, qos, id); err != nil || code != qos {
		s.Fatalf("subscription to %s at QoS %d: code %#x, %v", filter, qos, code, err)
	}
}

func (s *scene) publish(c client, m message) {
	s.Helper()
	if code, err := c.publish(m); err != nil || code != 0 {
		s.Fatalf("publish of %v: code %#x, %v", m, code, err)
	}
}

// receive returns the next message.
func (s *scene) receive(c client) message {
	s.Helper()
	select {
	case m := <-c.messages():
		return m
	case <-time.After(patience):
		s.Fatal("no message came")
		return message{}
	}
}

// expect compares the next message with want, version 5's properties aside.
func (s *scene) expect(c client, want message) message {
	s.Helper()
	got := s.receive(c)
	if got.Topic != want.Topic || got.QoS != want.QoS || got.Retain != want.Retain || !bytes.Equal(got.Payload, want.Payload) {
		s.Fatalf("got %v %.20q, want %v %.20q", got, got.Payload, want, want.Payload)
	}
	return got
}

func (s *scene) end(c client, cut bool) {
	s.Helper()
	if err := c.end(cut); err != nil {
		s.Fatalf("end: %v", err)
	}
}
