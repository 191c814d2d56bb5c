package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/broker/brokertest"
)

func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = new(bytes.Buffer)
	return cmd
}

func TestMosquittosClients(t *testing.T) {
	r := brokertest.Start(t)
	_, port, err := net.SplitHostPort(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for _, qos := range []string{"0", "1", "2"} {
			t.Run(v+" QoS "+qos, func(t *testing.T) {
				eventually(t, "the last one is gone", func() bool { return r.Stats().Subscriptions == 0 })
				sub := command(t, "mosquitto_sub", "-p", port, "-V", v, "-q", qos, "-t", "in/#", "-C", "1000", "-v", "-i", "sub"+qos)
				var out bytes.Buffer
				sub.Stdout = &out
				if err := sub.Start(); err != nil {
					t.Fatal(err)
				}
				eventually(t, "subscribed", func() bool { return r.Stats().Subscriptions == 1 })
				var lines, want strings.Builder
				for i := range 1000 {
					fmt.Fprintf(&lines, "%d\n", i)
					fmt.Fprintf(&want, "in/a %d\n", i)
				}
				pub := command(t, "mosquitto_pub", "-p", port, "-V", v, "-q", qos, "-t", "in/a", "-l")
				pub.Stdin = strings.NewReader(lines.String())
				if err := pub.Run(); err != nil {
					t.Fatalf("%v: %s", err, pub.Stderr)
				}
				if err := sub.Wait(); err != nil {
					t.Fatalf("%v: %s", err, sub.Stderr)
				}
				if out.String() != want.String() {
					t.Fatalf("got %d bytes, want %d", out.Len(), want.Len())
				}
			})
		}
	}
}

const paho = `
import sys, threading
import paho.mqtt.client as mqtt
port, version = int(sys.argv[1]), int(sys.argv[2])
def client(name):
    args = ([mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else [])
    kw = {} if version == 5 else {"clean_session": False}
    c = mqtt.Client(*args, client_id=name, protocol=version, **kw)
    connected = threading.Event()
    c.on_connect = lambda *a: connected.set()
    c.connect("127.0.0.1", port)
    c.loop_start()
    assert connected.wait(10), "no CONNACK"
    return c
got, done = [], threading.Event()
sub = client("psub%d" % version)
def on_message(c, u, m):
    got.append(m.payload)
    if len(got) == 300: done.set()
sub.on_message = on_message
subscribed = threading.Event()
sub.on_subscribe = lambda *a: subscribed.set()
sub.subscribe("p/#", 2)
assert subscribed.wait(10), "no SUBACK"
pub = client("ppub%d" % version)
for i in range(300):
    info = pub.publish("p/x", str(i), qos=i % 3)
info.wait_for_publish()
assert done.wait(10), "got %d" % len(got)
for q in range(3):
    mine = [g for g in got if int(g) % 3 == q]
    assert mine == [str(i).encode() for i in range(q, 300, 3)], mine
pub.disconnect(); sub.disconnect()
pub.loop_stop(); sub.loop_stop()
print("ok")
`

func TestPythonPaho(t *testing.T) {
	r := brokertest.Start(t)
	_, port, err := net.SplitHostPort(r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"3", "4", "5"} {
		cmd := command(t, "/usr/bin/python3", "-c", paho, port, v)
		out, err := cmd.Output()
		if err != nil || strings.TrimSpace(string(out)) != "ok" {
			t.Fatalf("version %s: %v: %s%s", v, err, out, cmd.Stderr)
		}
	}
}
