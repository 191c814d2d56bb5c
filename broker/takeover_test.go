package broker_test

import (
	"fmt"
	"testing"

	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// A client that says goodbye and comes back at once has left in order, although its new CONNECT may be read before its DISCONNECT: what it
// sent counts, and its will does not.
func TestAClientThatReturnsAtOnceHasLeftInOrder(t *testing.T) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			r := brokertest.Start(t)
			sub := clean(t, r, "sub", mqtt.V311)
			sub.subscribe(mqtt.Filter{Filter: "#"})
			const n = 100
			for i := range n {
				p := connect(t, r, mqtt.Connect{Version: v, ClientID: "hasty", CleanStart: true, Will: &mqtt.Will{Topic: "will", Payload: []byte("gone")}})
				p.send(&mqtt.Publish{Topic: "a", Payload: fmt.Append(nil, i)}, &mqtt.Disconnect{})
				p.nc.Close()
			}
			for i := range n {
				m := sub.receive()
				if m.Topic != "a" || string(m.Payload) != fmt.Sprint(i) {
					t.Fatalf("message %d is %q on %s", i, m.Payload, m.Topic)
				}
			}
		})
	}
}
