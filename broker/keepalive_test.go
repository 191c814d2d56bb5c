package broker_test

import (
	"testing"
	"time"

	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// TestTheDisksTimeIsNotTheClients: a client that is not read from, because the disk is behind, is not taken for silent.
func TestTheDisksTimeIsNotTheClients(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	kept(t, r, "reader", mqtt.V311).subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	p := connect(t, r, mqtt.Connect{Version: mqtt.V311, ClientID: "p", KeepAlive: 1})
	store.Hold()
	const many = 1500 // more than may wait for the disk
	for i := range many {
		p.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: uint16(i + 1)})
	}
	<-time.After(2 * time.Second) // more than one and a half keep alive intervals
	store.Release()
	for i := range many {
		equal(t, "PUBACK", expect[*mqtt.Puback](p).PacketID, uint16(i+1))
	}
	store.Hold()
	p.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "b"}}})
	<-time.After(2 * time.Second)
	store.Release()
	expect[*mqtt.Suback](p)
	p.quiet()
}
