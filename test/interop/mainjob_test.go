// Package interop_test runs the whole way of the data with real peers at both ends: mosquitto as the cloud's broker, its clients and
// Python's paho as sensors and readers, pymodbus as the device.
package interop_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/edged/edged/test/peers"
)

// uplink is the configuration of an uplink to mosquitto on port.
func uplink(port int) string {
	return fmt.Sprintf(`
uplinks:
  - name: cloud
    urls: [mqtt://127.0.0.1:%d]
    forward:
      - {from: "sensors/#", to: "sites/berlin/{topic}", qos: 2}
      - {from: "devices/#", to: "sites/berlin/{topic}", qos: 1}
    receive:
      - {from: "sites/berlin/commands/#", to: "{topic:3}", qos: 1}
`, port)
}

func modbusDevice(port int) string {
	return fmt.Sprintf(`
devices:
  - name: boiler
    driver: modbus
    url: tcp://127.0.0.1:%d
    unit: 1
    every: 100ms
    points:
      - {name: voltage, register: holding, address: 0, type: float32, order: ABCD, unit: V}
      - {name: setpoint, register: holding, address: 10, type: int16, scale: 0.1, writable: true}
      - {name: level, register: input, address: 5, type: uint16}
      - {name: pump, register: coil, address: 3, type: bit, writable: true}
      - {name: door, register: discrete, address: 7, type: bit}
`, port)
}

// message is a line of reader.py.
type message struct {
	retain  bool
	qos     int
	topic   string
	payload string
}

func messages(t *testing.T, lines []string) []message {
	t.Helper()
	var ms []message
	for _, l := range lines {
		f := strings.SplitN(l, " ", 4)
		if len(f) != 4 {
			continue // "subscribed"
		}
		qos, err := strconv.Atoi(f[1])
		if err != nil {
			t.Fatalf("reader printed %q", l)
		}
		ms = append(ms, message{f[0] == "1", qos, f[2], f[3]})
	}
	return ms
}

// awaitMessage waits until the reader has a message on topic, beyond the first n lines, whose JSON has every key of want with its value.
func awaitMessage(t *testing.T, reader *peers.Process, n int, topic string, want map[string]any) map[string]any {
	t.Helper()
	var found map[string]any
	reader.Await(t, fmt.Sprintf("%v on %s", want, topic), func(lines []string) bool {
		for _, m := range messages(t, lines[n:]) {
			if m.topic != topic {
				continue
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(m.payload), &got); err != nil {
				t.Errorf("%s: %q is not JSON: %v", topic, m.payload, err)
				return true
			}
			if contains(got, want) {
				found = got
				return true
			}
		}
		return false
	})
	return found
}

func contains(got, want map[string]any) bool {
	for k, v := range want {
		if fmt.Sprint(got[k]) != fmt.Sprint(v) {
			return false
		}
	}
	return true
}

func TestARegisterReachesTheCloudAndACommandTheRegister(t *testing.T) {
	cloud := peers.StartMosquitto(t)
	modbusPort := peers.FreePort(t)
	device := peers.Start(t, "modbus server", peers.Python, "testdata/modbus_server.py", fmt.Sprint(modbusPort))
	peers.AwaitPort(t, device, modbusPort)
	// 230.5 as float32, big endian.
	device.Ask(t, "set hr 0 0x4366 0x8000")
	reader := subscribe(t, cloud.Port, "reader", "sites/berlin/#")

	edged := peers.StartEdged(t, binary, "", uplink(cloud.Port)+modbusDevice(modbusPort))
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/status", map[string]any{"state": "online"})
	got := awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/voltage", map[string]any{"value": 230.5, "unit": "V", "quality": "good"})
	if got["time"] == nil {
		t.Errorf("the reading has no time: %v", got)
	}
	device.Ask(t, "set hr 0 0x4361 0x4000") // 225.25
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/voltage", map[string]any{"value": 225.25})
	device.Ask(t, "set ir 5 4711")
	device.Ask(t, "set di 7 1")
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/level", map[string]any{"value": 4711})
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/door", map[string]any{"value": true})

	peers.Run(t, "mosquitto_pub", "-p", fmt.Sprint(cloud.Port), "-q", "1", "-t", "sites/berlin/commands/devices/boiler/setpoint/set", "-m", `{"value":21.5,"id":"order-1"}`)
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/setpoint/set/result", map[string]any{"id": "order-1", "ok": true, "value": 21.5})
	if got := device.Ask(t, "get hr 10 1"); got != "215" {
		t.Errorf("the command wrote %q into the register, want 215", got)
	}
	peers.Run(t, "mosquitto_pub", "-p", fmt.Sprint(cloud.Port), "-q", "1", "-t", "sites/berlin/commands/devices/boiler/pump/set", "-m", "true")
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/pump/set/result", map[string]any{"ok": true, "value": true})
	if got := device.Ask(t, "get co 3 1"); got != "1" {
		t.Errorf("the command left the coil at %q, want 1", got)
	}
	// A point that is not writable is refused, and its register stays.
	peers.Run(t, "mosquitto_pub", "-p", fmt.Sprint(cloud.Port), "-q", "1", "-t", "sites/berlin/commands/devices/boiler/voltage/set", "-m", `{"value":1,"id":"order-2"}`)
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/voltage/set/result", map[string]any{"id": "order-2", "ok": false})

	device.Kill(t)
	awaitMessage(t, reader, 0, "sites/berlin/devices/boiler/status", map[string]any{"state": "offline"})
	edged.Stop(t)
}

// TestOutageAndPowerCut: the uplink is down while 10,000 messages are published, and the power fails in between. What was acknowledged
// arrives, in order per topic; doubles are allowed at QoS 1, so the order looked at is that of first arrivals.
func TestOutageAndPowerCut(t *testing.T) {
	const count, topics = 10_000, 4
	cloud := peers.StartMosquitto(t)
	reader := subscribe(t, cloud.Port, "reader", "sites/berlin/sensors/#")
	edged := peers.StartEdged(t, binary, "", uplink(cloud.Port))
	cloud.Stop(t)

	publisher := peers.Start(t, "publisher", peers.Python, "testdata/publisher.py", fmt.Sprint(edged.Port), "meter", fmt.Sprint(topics), fmt.Sprint(count))
	for _, at := range []int{count / 3, count / 2, count * 2 / 3} {
		publisher.Count(t, at)
		edged.Kill(t)
		edged.Start(t)
	}
	publisher.Count(t, count)
	if err := publisher.Wait(t); err != nil {
		t.Fatalf("publisher: %v", err)
	}
	edged.Kill(t)
	edged.Start(t)
	cloud.Start(t)

	arrived := make(map[int]bool)
	reader.Await(t, fmt.Sprint(count, " different messages"), func(lines []string) bool {
		clear(arrived)
		if len(lines) < count {
			return false
		}
		for _, m := range messages(t, lines) {
			if n, err := strconv.Atoi(m.payload); err == nil {
				arrived[n] = true
			}
		}
		return len(arrived) >= count
	})
	last := make(map[string]int)
	seen := make(map[int]bool)
	for _, m := range messages(t, reader.All()) {
		n, err := strconv.Atoi(m.payload)
		if err != nil {
			t.Fatalf("%s: %q is no number of a message", m.topic, m.payload)
		}
		if want := fmt.Sprintf("sites/berlin/sensors/meter/%d", n%topics); m.topic != want {
			t.Fatalf("message %d came on %s, want %s", n, m.topic, want)
		}
		if seen[n] {
			continue
		}
		seen[n] = true
		if before, ok := last[m.topic]; ok && n < before {
			t.Fatalf("%s: message %d came after %d", m.topic, n, before)
		}
		last[m.topic] = n
	}
	for n := range count {
		if !seen[n] {
			t.Errorf("message %d was acknowledged and is lost", n)
		}
	}
	edged.Stop(t)
}

func TestTheCloudKnowsWhetherTheEdgeIsAlive(t *testing.T) {
	cloud := peers.StartMosquitto(t)
	reader := subscribe(t, cloud.Port, "reader", "edged/gw-01/status")
	edged := peers.StartEdged(t, binary, "", uplink(cloud.Port))
	first := awaitMessage(t, reader, 0, "edged/gw-01/status", map[string]any{"state": "online"})
	for _, key := range []string{"boot_id", "session", "time", "version"} {
		if first[key] == nil {
			t.Errorf("the birth has no %s: %v", key, first)
		}
	}

	n := len(reader.All())
	edged.Kill(t)
	will := awaitMessage(t, reader, n, "edged/gw-01/status", map[string]any{"state": "offline"})
	if will["reason"] != "connection lost" || will["boot_id"] != first["boot_id"] || will["session"] != first["session"] {
		t.Errorf("the will is %v; want reason connection lost, and boot_id and session of the birth %v", will, first)
	}

	n = len(reader.All())
	edged.Start(t)
	second := awaitMessage(t, reader, n, "edged/gw-01/status", map[string]any{"state": "online"})
	if second["boot_id"] == first["boot_id"] {
		t.Errorf("boot_id %v is the same after a restart", second["boot_id"])
	}

	n = len(reader.All())
	edged.Stop(t)
	stopped := awaitMessage(t, reader, n, "edged/gw-01/status", map[string]any{"state": "offline"})
	if stopped["reason"] != "stopped" || stopped["boot_id"] != second["boot_id"] {
		t.Errorf("the planned stop says %v; want reason stopped and boot_id %v", stopped, second["boot_id"])
	}
	// The record is retained: who comes later reads it, too.
	late := subscribe(t, cloud.Port, "late", "edged/gw-01/status")
	awaitMessage(t, late, 0, "edged/gw-01/status", map[string]any{"state": "offline", "reason": "stopped"})
	for _, m := range messages(t, late.All()) {
		if !m.retain {
			t.Errorf("the status reached a late reader without RETAIN: %+v", m)
		}
	}
	if more := messages(t, reader.All()[n:]); len(more) != 1 {
		t.Errorf("a planned stop published %d records, want one and no will: %+v", len(more), more)
	}
}

// TestAPersistentSessionOutlivesThePowerCut: a local reader with a persistent session gets what came while it was away, although edged died.
func TestAPersistentSessionOutlivesThePowerCut(t *testing.T) {
	edged := peers.StartEdged(t, binary, "", "")
	reader := subscribe(t, edged.Port, "reader", "sensors/#")
	reader.Kill(t)
	publisher := peers.Start(t, "publisher", peers.Python, "testdata/publisher.py", fmt.Sprint(edged.Port), "meter", "1", "500")
	if err := publisher.Wait(t); err != nil {
		t.Fatalf("publisher: %v", err)
	}
	edged.Kill(t)
	edged.Start(t)
	// The subscription is in the session: this reader does not subscribe to sensors.
	again := subscribe(t, edged.Port, "reader", "other")
	again.Count(t, 501)
	for n, m := range messages(t, again.All()) {
		if m.payload != fmt.Sprint(n) {
			t.Fatalf("message %d is %q", n, m.payload)
		}
	}
}

// TestClientsOfAllVersionsSideBySide: mosquitto's clients, one version each, read what the others publish.
func TestClientsOfAllVersionsSideBySide(t *testing.T) {
	edged := peers.StartEdged(t, binary, "", "")
	port := fmt.Sprint(edged.Port)
	versions := []string{"mqttv31", "mqttv311", "mqttv5"}
	var readers []*peers.Process
	for _, v := range versions {
		r := peers.Start(t, "mosquitto_sub "+v, "stdbuf", "-oL", "mosquitto_sub", "-p", port, "-V", v, "-q", "2", "-t", "from/+", "-d", "-F", "got %t %q %p")
		r.Line(t, 0, `Subscribed`)
		readers = append(readers, r)
	}
	for _, v := range versions {
		for qos := range 3 {
			peers.Run(t, "mosquitto_pub", "-p", port, "-V", v, "-q", fmt.Sprint(qos), "-t", "from/"+v, "-m", fmt.Sprint("hello ", qos))
		}
	}
	for _, r := range readers {
		for _, v := range versions {
			for qos := range 3 {
				r.Line(t, 0, fmt.Sprintf("^got from/%s %d hello %d$", v, qos, qos))
			}
		}
	}
}
