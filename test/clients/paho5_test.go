package clients

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"golang.org/x/net/websocket"
)

// paho5 is a client of paho.golang, which speaks version 5 over a connection that it is given.
type paho5 struct {
	inbox
	c    *paho.Client
	conn net.Conn
}

func connectPaho5(o options) (client, bool, error) {
	conn, err := o.dial()
	if err != nil {
		return nil, false, err
	}
	p := &paho5{inbox: newInbox(), conn: conn}
	p.c = paho.NewClient(paho.ClientConfig{
		ClientID: o.ID, Conn: packets.NewThreadSafeConn(conn), PacketTimeout: patience,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){p.receive(map[uint16]string{})},
	})
	connect := &paho.Connect{ClientID: o.ID, KeepAlive: 60, CleanStart: !o.Persistent, Properties: &paho.ConnectProperties{}}
	if o.Persistent {
		connect.Properties.SessionExpiryInterval = paho.Uint32(3600)
	}
	if o.Aliases > 0 {
		connect.Properties.TopicAliasMaximum = paho.Uint16(o.Aliases)
	}
	if w := o.Will; w != nil {
		connect.WillMessage = &paho.WillMessage{Topic: w.Topic, Payload: w.Payload, QoS: w.QoS, Retain: w.Retain}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connack, err := p.c.Connect(ctx, connect)
	if err != nil {
		return nil, false, err
	}
	return p, connack.SessionPresent, nil
}

// dial opens a connection as the URL says. The WebSockets are those of golang.org/x/net.
func (o options) dial() (net.Conn, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "mqtt":
		return net.Dial("tcp", u.Host)
	case "mqtts":
		return tls.Dial("tcp", u.Host, config)
	case "unix":
		return net.Dial("unix", u.Path)
	case "ws", "wss":
		c, err := websocket.NewConfig(o.URL, strings.Replace(u.Scheme, "ws", "http", 1)+"://"+u.Host) // as a page of that host
		if err != nil {
			return nil, err
		}
		c.Protocol, c.TlsConfig = []string{"mqtt"}, config
		ws, err := websocket.DialConfig(c)
		if err != nil {
			return nil, err
		}
		ws.PayloadType = websocket.BinaryFrame
		return ws, nil
	}
	return nil, fmt.Errorf("no way to dial %s", o.URL)
}

// receive resolves topic aliases, which paho.golang leaves to its user.
func (p *paho5) receive(topics map[uint16]string) func(paho.PublishReceived) (bool, error) {
	return func(r paho.PublishReceived) (bool, error) {
		in := r.Packet
		m := message{Topic: in.Topic, Payload: in.Payload, QoS: in.QoS, Retain: in.Retain}
		if v := in.Properties; v != nil {
			m.ResponseTopic, m.Correlation, m.ContentType = v.ResponseTopic, v.CorrelationData, v.ContentType
			for _, u := range v.User {
				m.User = append(m.User, [2]string{u.Key, u.Value})
			}
			if v.MessageExpiry != nil {
				m.Expiry = *v.MessageExpiry
			}
			if v.SubscriptionIdentifier != nil {
				m.Subscription = *v.SubscriptionIdentifier
			}
			if v.TopicAlias != nil {
				m.Alias = *v.TopicAlias
				if m.Topic == "" {
					m.Topic = topics[m.Alias]
				}
				topics[m.Alias] = m.Topic
			}
		}
		p.inbox <- m
		return true, nil
	}
}

func (p *paho5) subscribe(filter string, qos byte, id int) (byte, error) {
	s := &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: qos}}}
	if id > 0 {
		s.Properties = &paho.SubscribeProperties{SubscriptionIdentifier: &id}
	}
	suback, err := p.c.Subscribe(context.Background(), s)
	if err != nil {
		return 0, err
	}
	return suback.Reasons[0], nil
}

func (p *paho5) publish(m message) (byte, error) {
	v := &paho.PublishProperties{ResponseTopic: m.ResponseTopic, CorrelationData: m.Correlation, ContentType: m.ContentType}
	for _, u := range m.User {
		v.User.Add(u[0], u[1])
	}
	if m.Expiry > 0 {
		v.MessageExpiry = &m.Expiry
	}
	if m.Alias > 0 {
		v.TopicAlias = &m.Alias
	}
	response, err := p.c.Publish(context.Background(), &paho.Publish{Topic: m.Topic, QoS: m.QoS, Retain: m.Retain, Payload: m.Payload, Properties: v})
	if response != nil && response.ReasonCode >= 0x80 {
		return response.ReasonCode, nil // the error says the same
	}
	return 0, err
}

func (p *paho5) end(cut bool) error {
	if cut {
		return p.conn.Close()
	}
	return p.c.Disconnect(&paho.Disconnect{})
}
