package broker_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// mosquittos are the topics that mosquitto 2.0.11 publishes, as Debian builds it.
const mosquittos = `
bytes/received bytes/sent
clients/active clients/connected clients/disconnected clients/expired clients/inactive clients/maximum clients/total
heap/current heap/maximum
load/bytes/received/15min load/bytes/received/1min load/bytes/received/5min load/bytes/sent/15min load/bytes/sent/1min load/bytes/sent/5min
load/connections/15min load/connections/1min load/connections/5min
load/messages/received/15min load/messages/received/1min load/messages/received/5min
load/messages/sent/15min load/messages/sent/1min load/messages/sent/5min
load/publish/dropped/15min load/publish/dropped/1min load/publish/dropped/5min
load/publish/received/15min load/publish/received/1min load/publish/received/5min
load/publish/sent/15min load/publish/sent/1min load/publish/sent/5min
load/sockets/15min load/sockets/1min load/sockets/5min
messages/received messages/sent messages/stored
publish/bytes/received publish/bytes/sent publish/messages/dropped publish/messages/received publish/messages/sent
retained_messages/count shared_subscriptions/count store/messages/bytes store/messages/count subscriptions/count
uptime version`

func sysNames() []string {
	names := strings.Fields(mosquittos)
	for i, n := range names {
		names[i] = strings.Replace(n, "retained_messages", "retained messages", 1)
	}
	slices.Sort(names)
	return names
}

// retainedSys are the figures that a new subscriber gets at once.
func retainedSys(t *testing.T, r *brokertest.Running) map[string]string {
	t.Helper()
	p := clean(t, r, "reader-of-sys", mqtt.V311)
	p.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "$SYS/#"}}}, &mqtt.Pingreq{})
	got := map[string]string{}
	for {
		x, err := p.next(patience)
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := x.(*mqtt.Publish); ok {
			got[strings.TrimPrefix(m.Topic, "$SYS/broker/")] = string(m.Payload)
		}
		if _, ok := x.(*mqtt.Pingresp); ok {
			p.disconnect()
			return got
		}
	}
}

func TestSysHasMosquittosNames(t *testing.T) {
	r := brokertest.Start(t)
	var got []string
	eventually(t, "published", func() bool {
		got = got[:0]
		for name, value := range retainedSys(t, r) {
			got = append(got, name)
			if _, err := strconv.ParseFloat(strings.TrimSuffix(value, " seconds"), 64); err != nil && name != "version" {
				t.Errorf("%s: %q", name, value)
			}
		}
		return len(got) >= len(sysNames()) // they are published one by one
	})
	slices.Sort(got)
	equal(t, "topics", got, sysNames())
}

// What is compared with must be what the real one says.
func TestMosquittosNamesAreMosquittos(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	file := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(file, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\nsys_interval 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("mosquitto", "-c", file)
	if err := server.Start(); err != nil {
		t.Fatalf("mosquitto: %v (apt-get install mosquitto mosquitto-clients)", err)
	}
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	eventually(t, "mosquitto listens", func() bool {
		nc, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	var got []string
	eventually(t, "as many topics as edged has", func() bool { // it stops at the given number of messages, or after two seconds
		out, _ := exec.Command("mosquitto_sub", "-p", port, "-t", "$SYS/#", "-F", "%t", "-W", "2", "-C", strconv.Itoa(len(sysNames()))).Output()
		for name := range strings.Lines(string(out)) {
			got = append(got, strings.TrimPrefix(strings.TrimSpace(name), "$SYS/broker/"))
		}
		slices.Sort(got)
		got = slices.Compact(got)
		return len(got) >= len(sysNames())
	})
	equal(t, "topics", got, sysNames())
}

func TestSysCounts(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.SysInterval = time.Second }))
	sub, pub := clean(t, r, "sub", mqtt.V5), clean(t, r, "pub", mqtt.V311)
	sub.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	sub.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "$share/g/s"}}})
	expect[*mqtt.Suback](sub)
	kept(t, r, "away", mqtt.V311).subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: []byte("0123456789"), Retain: true})
	equal(t, "payload", len(sub.receive().Payload), 10)
	eventually(t, "the figures", func() bool {
		got := retainedSys(t, r)
		for name, want := range map[string]string{
			"publish/messages/received": "1", "publish/bytes/received": "10", "publish/messages/dropped": "0", "shared_subscriptions/count": "1",
			"clients/expired": "0", "clients/disconnected": "0",
		} {
			if got[name] != want {
				return false
			}
		}
		n := func(name string) float64 { v, _ := strconv.ParseFloat(got[name], 64); return v }
		return n("publish/messages/sent") >= 2 && n("publish/bytes/sent") >= 20 && n("messages/received") >= 9 && n("messages/sent") >= 9 &&
			n("clients/connected") >= 3 && n("clients/maximum") >= 3 && n("load/messages/received/1min") > n("load/messages/received/15min") &&
			n("load/connections/1min") > 0 && n("load/sockets/5min") > 0 && n("subscriptions/count") >= 3 && n("heap/current") > 0 &&
			n("messages/stored") > 50 && n("store/messages/bytes") > 10
	})
}

func TestSysCanBeSwitchedOff(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.SysInterval = 0 }))
	clean(t, r, "x", mqtt.V311).publish(mqtt.Publish{Topic: "a", QoS: 1, Retain: true, Payload: []byte("x")})
	equal(t, "topics", len(retainedSys(t, r)), 0)
	equal(t, "retained", r.Stats().Retained, 1)
}

func TestSysTakesNoPlaceFromRetainedMessages(t *testing.T) {
	r := limited(t, func(l *broker.Limits) { l.RetainedMessages, l.RetainedBytes = 2, 1000 })
	eventually(t, "published", func() bool { return r.Stats().Retained > 50 })
	own := r.Stats().Retained
	x := clean(t, r, "x", mqtt.V311)
	for _, name := range []string{"a", "b", "c"} {
		x.publish(mqtt.Publish{Topic: name, QoS: 1, Retain: true, Payload: []byte("x")})
	}
	s := r.Stats()
	equal(t, "retained", s.Retained-own, 2)
	equal(t, "not retained", s.NotRetained, uint64(1))
}
