package clients

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// pahoMQTT is a client of paho.mqtt.golang, which speaks 3.1 and 3.1.1, with its own WebSockets.
type pahoMQTT struct {
	inbox
	c    mqtt.Client
	conn net.Conn // so that it can be cut
}

func connectPahoMQTT(o options) (client, bool, error) {
	p := &pahoMQTT{inbox: newInbox()}
	config, err := o.tls()
	if err != nil {
		return nil, false, err
	}
	opts := mqtt.NewClientOptions().AddBroker(o.URL).SetClientID(o.ID).SetProtocolVersion(uint(o.Version)).
		SetCleanSession(!o.Persistent).SetAutoReconnect(false).SetTLSConfig(config).
		SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (conn net.Conn, err error) {
			if strings.HasPrefix(u.Scheme, "ws") {
				conn, err = mqtt.NewWebsocket(o.URL, config, patience, nil, nil)
			} else {
				conn, err = o.dial()
			}
			p.conn = conn
			return conn, err
		}).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			p.inbox <- message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retain: m.Retained()}
		})
	if o.Will != nil {
		opts.SetBinaryWill(o.Will.Topic, o.Will.Payload, o.Will.QoS, o.Will.Retain)
	}
	p.c = mqtt.NewClient(opts)
	token := p.c.Connect()
	if err := await(token); err != nil {
		return nil, false, err
	}
	return p, token.(*mqtt.ConnectToken).SessionPresent(), nil
}

func await(token mqtt.Token) error {
	if !token.WaitTimeout(patience) {
		return errors.New("no answer came")
	}
	return token.Error()
}

func (p *pahoMQTT) subscribe(filter string, qos byte, _ int) (byte, error) {
	token := p.c.Subscribe(filter, qos, nil)
	if err := await(token); err != nil {
		return 0, err
	}
	code, ok := token.(*mqtt.SubscribeToken).Result()[filter]
	if !ok {
		return 0, fmt.Errorf("no SUBACK for %q", filter)
	}
	return code, nil
}

func (p *pahoMQTT) publish(m message) (byte, error) {
	return 0, await(p.c.Publish(m.Topic, m.QoS, m.Retain, m.Payload))
}

func (p *pahoMQTT) end(cut bool) error {
	if !cut {
		p.c.Disconnect(250) // at most so many ms
		return nil
	}
	return p.conn.Close()
}
