package paho

import (
	"fmt"
	"testing"
	"time"

	"github.com/edged/edged"
)

// BenchmarkDrain drains a backlog in memory to mosquitto: what the uplink and paho cost, without the disk.
func BenchmarkDrain(b *testing.B) {
	for _, inflight := range []int{64, 256, 1000} {
		for _, qos := range []edged.QoS{1, 2} {
			b.Run(fmt.Sprintf("qos=%d/inflight=%d", qos, inflight), func(b *testing.B) {
				m := startMosquitto(b)
				d := newDisk()
				msgs := messages(0, b.N, level(qos))
				for i := range msgs {
					msgs[i].Payload = make([]byte, 200)
				}
				c := config(m.url())
				c.Inflight, c.AckTimeout = inflight, 30*time.Second
				p := begin(b, d, c, sequenceIDs)
				defer p.stop()
				eventually(b, 10*time.Second, "connected", func() bool { return p.u.Stats().Connects > 0 })
				b.ResetTimer()
				p.q.append(msgs...)
				eventually(b, time.Minute, "drained", func() bool { return p.u.Stats().Forwarded >= uint64(b.N) })
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			})
		}
	}
}
