package clients

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// patience bounds how long an answer or a message may take; it is never waited out when things work.
const patience = 30 * time.Second

// message is an application message as all clients can say it. From alias on it is version 5's, and zero is absent.
type message struct {
	Topic   string `json:"topic"`
	Payload []byte `json:"payload"`
	QoS     byte   `json:"qos"`
	Retain  bool   `json:"retain"`

	Alias         uint16      `json:"alias"`
	User          [][2]string `json:"user"`
	ResponseTopic string      `json:"responseTopic"`
	Correlation   []byte      `json:"correlation"`
	ContentType   string      `json:"contentType"`
	Expiry        uint32      `json:"expiry"` // seconds
	Subscription  int         `json:"subscription"`
}

func (m message) String() string {
	return fmt.Sprintf("%s (%d bytes, QoS %d, retain %v)", m.Topic, len(m.Payload), m.QoS, m.Retain)
}

// options say how a client connects.
type options struct {
	URL        string   `json:"url"`
	CA         string   `json:"ca"` // a file, for mqtts and wss
	ID         string   `json:"id"`
	Version    byte     `json:"version"`    // 3 is 3.1, 4 is 3.1.1
	Persistent bool     `json:"persistent"` // the session is continued, and kept
	Will       *message `json:"will,omitempty"`
	Aliases    uint16   `json:"aliases"` // as many topic aliases it takes
}

// tls trusts the test's authority alone.
func (o options) tls() (*tls.Config, error) {
	pem, err := os.ReadFile(o.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots}, nil
}

// client is one connection of somebody's client.
type client interface {
	// subscribe returns what SUBACK says; id 0 is no subscription identifier.
	subscribe(filter string, qos byte, id int) (code byte, err error)
	// publish returns when the message is acknowledged, with version 5's reason code.
	publish(m message) (code byte, err error)
	// messages gives what comes, in order.
	messages() <-chan message
	// end ends the connection: in order, or without DISCONNECT.
	end(cut bool) error
}

// kind is a client that somebody wrote.
type kind struct {
	name     string
	versions []byte
	schemes  []string
	connect  func(o options) (c client, present bool, err error)
}

// inbox holds what came; tests receive fewer.
type inbox chan message

func newInbox() inbox { return make(inbox, 1000) }

func (b inbox) messages() <-chan message { return b }
