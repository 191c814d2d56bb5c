package broker_test

import (
	"testing"
	"time"

	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// A connection changes its goroutine when it has been silent for three seconds. Nothing of it is lost by that: what it subscribed to,
// its keep alive interval, its end.
func TestASilentConnectionGoesOn(t *testing.T) {
	r := brokertest.Start(t)
	quiet := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "quiet", CleanStart: true})
	brief := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "brief", CleanStart: true, KeepAlive: 4, Will: &mqtt.Will{Topic: "will"}})
	taken := connect(t, r, mqtt.Connect{Version: mqtt.V5, ClientID: "taken", CleanStart: true, KeepAlive: 600})
	half := clean(t, r, "half", mqtt.V311)
	quiet.subscribe(mqtt.Filter{Filter: "a", QoS: 1}, mqtt.Filter{Filter: "will"})
	half.bytes([]byte{0x30, 4, 0, 1})

	brief.expectEnd(mqtt.KeepAliveTimeout) // after six seconds: all others have been silent for longer than three
	equal(t, "will", quiet.receive().Topic, "will")
	for i := range 2 {
		if i == 1 { // silent once more
			wait := time.NewTimer(3500 * time.Millisecond)
			<-wait.C
		}
		quiet.publish(mqtt.Publish{Topic: "b", QoS: 2, Payload: []byte("x")})
		clean(t, r, "pub", mqtt.V311).publish(mqtt.Publish{Topic: "a", QoS: 1})
		equal(t, "topic", quiet.receive().Topic, "a")
	}
	half.bytes([]byte{'a', 'x', 0xC0, 0})
	expect[*mqtt.Pingresp](half)
	next := clean(t, r, "taken", mqtt.V5)
	taken.expectEnd(mqtt.SessionTakenOver)
	next.quiet()
	half.disconnect()
	quiet.nc.Close()
	eventually(t, "both are gone", func() bool { s := r.Stats(); return s.Connected == 2 })
	r.Stop(t)
	next.expectEnd(mqtt.ServerShuttingDown)
}
