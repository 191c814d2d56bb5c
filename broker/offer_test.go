package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

func TestTheServersKeepAlive(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.KeepAlive = time.Minute }))
	for asked, want := range map[uint16]uint16{0: 60, 61: 60, 60: 0, 10: 0} {
		x := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "x", CleanStart: true, KeepAlive: asked})
		equal(t, "server keep alive", x.ack.Properties.ServerKeepAlive, want)
		equal(t, "present", x.ack.Properties.Has&mqtt.ServerKeepAlive != 0, want != 0)
		x.disconnect()
	}
	r = brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.KeepAlive = time.Second }))
	old := clean(t, r, "old", mqtt.V311) // has none, and cannot be told
	connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "x", CleanStart: true}).expectEnd(mqtt.KeepAliveTimeout)
	old.quiet()
}

func TestResponseInformation(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.ResponseInformation = "answers/{client_id}/" }))
	ask := mqtt.Connect{Version: mqtt.V5, ClientID: "x", Properties: &mqtt.Properties{Has: mqtt.RequestResponseInformation, RequestResponseInformation: 1}}
	equal(t, "asked", connect(t, r, ask).ack.Properties.ResponseInformation, "answers/x/")
	equal(t, "not asked", clean(t, r, "x", mqtt.V5).ack.Properties.Has&mqtt.ResponseInformation, mqtt.PropertySet(0))
}

func TestServerReference(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) {
		c.ServerReference = "b.example.com:1883"
		c.Limits.Connections = 1
	}))
	x := clean(t, r, "x", mqtt.V5)
	for _, v := range versions {
		y := dial(t, r)
		y.v = v
		y.send(&mqtt.Connect{Version: v, ClientID: "y", CleanStart: true})
		ack := expect[*mqtt.Connack](y)
		if v != mqtt.V5 {
			equal(t, "CONNACK", ack.Code.ReturnCode(), byte(3))
			continue
		}
		equal(t, "CONNACK", ack.Code, mqtt.UseAnotherServer)
		equal(t, "server reference", ack.Properties.ServerReference, "b.example.com:1883")
		y.expectEnd(0)
	}
	for range 100 { // there is an end to being told, too
		nc := dial(t, r)
		defer nc.nc.Close()
	}
	eventually(t, "most are closed at once", func() bool { return r.Stats().Refused >= 60 })
	x.quiet()
	go r.Stop(t)
	bye := expect[*mqtt.Disconnect](x)
	equal(t, "DISCONNECT", bye.Code, mqtt.UseAnotherServer)
	equal(t, "server reference", bye.Properties.ServerReference, "b.example.com:1883")
	r.Stop(t)
}

func TestTooLongAConnectIsToldSo(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.ConnectBytes = 128 }))
	for _, v := range versions {
		x := dial(t, r)
		x.v = v
		x.send(&mqtt.Connect{Version: v, ClientID: strings.Repeat("x", 200), CleanStart: true})
		if v == mqtt.V5 {
			equal(t, "CONNACK", expect[*mqtt.Connack](x).Code, mqtt.PacketTooLarge)
		}
		x.expectEnd(0)
	}
}

func TestOffersAreChecked(t *testing.T) {
	c := broker.DefaultConfig()
	c.ServerReference, c.ResponseInformation = "\xff", strings.Repeat("x", 1025)
	c.Limits.KeepAlive = 1500 * time.Millisecond
	err := c.Check()
	for _, key := range []string{"server_reference", "response_information", "limits.keep_alive"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named in %v", key, err)
		}
	}
}
