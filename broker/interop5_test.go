package broker_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// lines collects a program's output.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Fields(l.buf.String())
}

func TestMosquittosClientsShare(t *testing.T) {
	for _, v := range []string{"mqttv311", "mqttv5"} {
		r := brokertest.Start(t)
		_, port, err := net.SplitHostPort(r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		var outs [2]lines
		for i := range outs {
			sub := command(t, "mosquitto_sub", "-p", port, "-V", v, "-q", "1", "-t", "$share/g/in/#", "-i", fmt.Sprint("member", i))
			sub.Stdout = &outs[i]
			if err := sub.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = sub.Process.Kill()
				_ = sub.Wait() // killed
			}()
		}
		eventually(t, "subscribed", func() bool { return r.Stats().SharedSubscriptions == 2 })
		pub := clean(t, r, "pub", mqtt.V311)
		for i := range 200 {
			pub.publish(mqtt.Publish{Topic: "in/x", QoS: 1, Payload: fmt.Append(nil, i)})
		}
		eventually(t, "all have come", func() bool { return len(outs[0].all())+len(outs[1].all()) >= 200 })
		got := map[string]int{}
		for i := range outs {
			for _, s := range outs[i].all() {
				got[s]++
			}
			if len(outs[i].all()) == 0 { // who acknowledges sooner gets more
				t.Errorf("%s: member %d got nothing", v, i)
			}
		}
		once(t, 200, got)
	}
}

func TestMosquittosDelayedWill(t *testing.T) {
	r := brokertest.Start(t)
	_, port, err := net.SplitHostPort(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, r)
	client := func() func() {
		sub := command(t, "mosquitto_sub", "-p", port, "-V", "5", "-t", "x", "-i", "dying", "-c", "-x", "100",
			"--will-topic", "will", "--will-payload", "gone", "--will-qos", "1", "-D", "will", "will-delay-interval", "1")
		if err := sub.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "connected", func() bool { return r.Stats().Connected == 2 })
		return func() {
			_ = sub.Process.Kill()
			_ = sub.Wait() // killed
			gone(t, r, 1)
		}
	}
	client()() // dies
	kill := client()
	willing(t, r, "later", false, 2, 100).nc.Close()
	equal(t, "will", string(w.receive().Payload), "later") // not that of the one who came back
	kill()
	equal(t, "will", string(w.receive().Payload), "gone")
}

const pahoV5 = `
import sys, threading
import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions
args = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
c = mqtt.Client(*args, client_id="", protocol=mqtt.MQTTv5)
done = threading.Event()
def on_connect(c, u, flags, rc, props):
    print("connect", rc.value, props.AssignedClientIdentifier[:5], props.ServerKeepAlive, props.ResponseInformation.split("/")[0])
    c.subscribe([("$share/g/a", SubscribeOptions(qos=1)), ("b", SubscribeOptions(qos=1))])
def on_subscribe(c, u, mid, codes, props):
    p = Properties(PacketTypes.PUBLISH)
    p.ResponseTopic, p.CorrelationData, p.MessageExpiryInterval, p.ContentType = "answers", b"42", 100, "text/plain"
    p.UserProperty = [("b", "1"), ("a", "2"), ("b", "3")]
    c.publish("a", "shared", 1, properties=p)
def on_message(c, u, m):
    p = m.properties
    print(m.topic, m.payload.decode(), p.ResponseTopic, p.CorrelationData.decode(), p.ContentType, p.MessageExpiryInterval > 90, p.UserProperty)
    c.disconnect()
def on_disconnect(c, u, rc, props=None):
    done.set()
c.on_connect, c.on_subscribe, c.on_message, c.on_disconnect = on_connect, on_subscribe, on_message, on_disconnect
props = Properties(PacketTypes.CONNECT)
props.RequestResponseInformation = 1
c.connect("127.0.0.1", int(sys.argv[1]), keepalive=600, properties=props)
c.loop_start()
if not done.wait(20):
    sys.exit("timed out")
`

func TestPahoSpeaksVersion5(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) {
		c.Limits.KeepAlive = 60e9
		c.ResponseInformation = "answers/{client_id}"
	}))
	_, port, err := net.SplitHostPort(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan edged.Message, 1)
	if err := r.Client("in-process").Subscribe(t.Context(), edged.Subscription{Filter: "a", QoS: 1}, func(m edged.Message) { heard <- m }); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "/usr/bin/python3", "-c", pahoV5, port)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	equal(t, "output", string(out), "connect 0 auto- 60 answers\na shared answers 42 text/plain True [('b', '1'), ('a', '2'), ('b', '3')]\n")
	equal(t, "response topic", (<-heard).Props.ResponseTopic, "answers")
}
