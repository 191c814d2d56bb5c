package broker

import (
	"context"
	"fmt"
	"math"
	"runtime/metrics"
	"strconv"
	"time"

	"github.com/edged/edged"
)

// publishSys publishes the broker's figures, retained, under mosquitto's names.
func (b *Broker) publishSys() {
	if b.cfg.SysInterval == 0 {
		return
	}
	t := time.NewTicker(b.cfg.SysInterval)
	defer t.Stop()
	f := newFigures(b)
	for {
		if changed := f.update(time.Now()); len(changed) > 0 {
			if err := f.bus.Publish(context.Background(), changed...); err != nil {
				b.log.Debug("$SYS was not published", "error", err)
			}
		}
		select {
		case <-t.C:
		case <-b.stopped:
			return
		}
	}
}

// figures are what $SYS says. Only what has changed is published.
type figures struct {
	b       *Broker
	bus     edged.Bus
	said    map[string]string // by topic
	changed []edged.Message

	maximum     int    // clients at the same time
	heapMaximum uint64 // bytes
	heap        []metrics.Sample
	loads       map[string]*load
	at          time.Time // of the last update
}

// load is a count per minute, as moving averages over one, five and fifteen minutes.
type load struct {
	last    uint64
	average [3]float64
}

var loadMinutes = [3]float64{1, 5, 15}

func newFigures(b *Broker) *figures {
	return &figures{
		b: b, bus: b.Client("$SYS"), said: map[string]string{}, loads: map[string]*load{}, at: b.started,
		heap: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}},
	}
}

// update returns what is to be published now.
func (f *figures) update(now time.Time) []edged.Message {
	s := f.b.Stats()
	queued, queuedBytes := f.b.queued()
	f.changed = nil
	f.say("version", "edged version "+f.b.version)
	f.say("uptime", strconv.Itoa(int(now.Sub(f.b.started)/time.Second))+" seconds")

	f.maximum = max(f.maximum, s.Sessions)
	f.number("clients/total", s.Sessions)
	f.number("clients/connected", s.Connected)
	f.number("clients/active", s.Connected) // the older names of both
	f.number("clients/disconnected", s.Sessions-s.Connected)
	f.number("clients/inactive", s.Sessions-s.Connected)
	f.number("clients/maximum", f.maximum)
	f.count("clients/expired", s.Expired)

	f.count("messages/received", s.PacketsReceived)
	f.count("messages/sent", s.PacketsSent)
	f.number("messages/stored", s.Retained+queued)
	f.number("store/messages/count", s.Retained+queued)
	f.count("store/messages/bytes", uint64(s.RetainedBytes+queuedBytes))
	f.number("retained messages/count", s.Retained)
	f.number("subscriptions/count", s.Subscriptions)
	f.number("shared_subscriptions/count", s.SharedSubscriptions)

	f.count("publish/messages/received", s.Received)
	f.count("publish/messages/sent", s.Sent)
	f.count("publish/messages/dropped", s.Dropped)
	f.count("publish/bytes/received", s.PayloadReceived)
	f.count("publish/bytes/sent", s.PayloadSent)
	f.count("bytes/received", s.BytesReceived)
	f.count("bytes/sent", s.BytesSent)

	metrics.Read(f.heap)
	if v := f.heap[0].Value; v.Kind() == metrics.KindUint64 {
		f.heapMaximum = max(f.heapMaximum, v.Uint64())
		f.count("heap/current", v.Uint64())
		f.count("heap/maximum", f.heapMaximum)
	}

	passed := now.Sub(f.at)
	f.at = now
	f.load("messages/received", s.PacketsReceived, passed)
	f.load("messages/sent", s.PacketsSent, passed)
	f.load("publish/received", s.Received, passed)
	f.load("publish/sent", s.Sent, passed)
	f.load("publish/dropped", s.Dropped, passed)
	f.load("bytes/received", s.BytesReceived, passed)
	f.load("bytes/sent", s.BytesSent, passed)
	f.load("sockets", s.Connections, passed)
	f.load("connections", s.Connects, passed)
	return f.changed
}

func (f *figures) say(name, value string) {
	if old, said := f.said[name]; said && old == value {
		return
	}
	f.said[name] = value
	f.changed = append(f.changed, edged.Message{Topic: "$SYS/broker/" + name, Payload: []byte(value), Retain: true})
}

func (f *figures) number(name string, n int)   { f.say(name, strconv.Itoa(n)) }
func (f *figures) count(name string, n uint64) { f.say(name, strconv.FormatUint(n, 10)) }

// load says how many a minute count has grown by, each average nearer to the present the shorter it is.
func (f *figures) load(name string, count uint64, passed time.Duration) {
	l := f.loads[name]
	if l == nil {
		l = new(load)
		f.loads[name] = l
	}
	if minutes := passed.Minutes(); minutes > 0 {
		rate := float64(count-l.last) / minutes
		for i, over := range loadMinutes {
			l.average[i] = rate + math.Exp(-minutes/over)*(l.average[i]-rate)
		}
		l.last = count
	}
	for i, over := range loadMinutes {
		f.say(fmt.Sprintf("load/%s/%gmin", name, over), strconv.FormatFloat(l.average[i], 'f', 2, 64))
	}
}

// queued says what waits in the sessions' queues.
func (b *Broker) queued() (messages int, bytes int64) {
	b.mu.Lock()
	var queues []edged.Queue
	for _, s := range b.sessions {
		if s.queue != nil {
			queues = append(queues, s.queue)
		}
	}
	b.mu.Unlock()
	for _, q := range queues {
		s := q.Stats()
		messages += s.Messages
		bytes += s.Bytes
	}
	return messages, bytes
}
