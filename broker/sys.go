package broker

import (
	"context"
	"strconv"
	"time"

	"github.com/edged/edged"
)

const sysEvery = 10 * time.Second

// publishSys publishes the broker's figures, retained, under mosquitto's names.
func (b *Broker) publishSys() {
	t := time.NewTicker(sysEvery)
	defer t.Stop()
	bus := b.Client("$SYS")
	for {
		b.publishFigures(bus)
		select {
		case <-t.C:
		case <-b.stopped:
			return
		}
	}
}

func (b *Broker) publishFigures(bus edged.Bus) {
	s := b.Stats()
	var msgs []edged.Message
	say := func(name, value string) {
		msgs = append(msgs, edged.Message{Topic: "$SYS/broker/" + name, Payload: []byte(value), Retain: true})
	}
	number := func(name string, n uint64) { say(name, strconv.FormatUint(n, 10)) }
	say("version", "edged version "+b.version)
	say("uptime", strconv.Itoa(int(time.Since(b.started)/time.Second))+" seconds")
	number("clients/connected", uint64(s.Connected))
	number("clients/total", uint64(s.Sessions))
	number("messages/received", s.Received)
	number("messages/sent", s.Sent)
	number("bytes/received", s.BytesReceived)
	number("bytes/sent", s.BytesSent)
	number("publish/messages/dropped", s.Dropped)
	number("retained messages/count", uint64(s.Retained))
	number("subscriptions/count", uint64(s.Subscriptions))
	if err := bus.Publish(context.Background(), msgs...); err != nil {
		b.log.Debug("$SYS was not published", "error", err)
	}
}
