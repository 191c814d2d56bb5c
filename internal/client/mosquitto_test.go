package client

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
)

// broker starts mosquitto, a real broker, on a socket of the test's own, and returns its URL.
func broker(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto" // not in every user's PATH
	}
	dir, err := os.MkdirTemp("", "mosquitto") // a short name: a socket's has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, config := filepath.Join(dir, "s"), filepath.Join(dir, "conf")
	text := fmt.Sprintf("listener 0 %s\nallow_anonymous true\npersistence false\n", socket)
	if os.Getuid() == 0 {
		text += "user root\n" // it would become another user, who may not make the socket
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", config)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; this test needs mosquitto (apt install mosquitto)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error: it has ended
		_ = cmd.Wait()         // "killed"
	})
	url := "unix://" + socket
	eventually(t, "mosquitto answers", func() bool {
		c, err := Dial(soon(t), Options{URL: url})
		return err == nil && c.Disconnect(mqtt.Success) == nil
	})
	return url
}

func TestMosquitto(t *testing.T) {
	url := broker(t)
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			dial := func(o Options) *Client {
				o.URL, o.Version, o.CleanStart, o.Buffer = url, v, true, 1000
				c, err := Dial(soon(t), o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			}
			reader := dial(Options{ClientID: "reader"})
			writer := dial(Options{ClientID: "writer", Will: &mqtt.Will{Topic: "will", Payload: []byte("gone"), QoS: 1}})
			codes, err := reader.Subscribe(soon(t), mqtt.Filter{Filter: "a/+", QoS: 2}, mqtt.Filter{Filter: "will", QoS: 1})
			if err != nil || len(codes) != 2 || codes[0] != mqtt.GrantedQoS2 || codes[1] != mqtt.GrantedQoS1 {
				t.Fatalf("got %v, %v", codes, err)
			}
			for i := range 300 {
				if _, err := writer.Publish(soon(t), mqtt.Publish{Topic: "a/b", QoS: byte(i % 3), Payload: fmt.Append(nil, i)}); err != nil {
					t.Fatal(err)
				}
			}
			next := [3]int{0, 1, 2} // in order for each QoS; QoS 0 may pass what waits for an acknowledgement
			for range 300 {
				m := receive(t, reader)
				if string(m.Payload) != fmt.Sprint(next[m.QoS]) || m.Topic != "a/b" {
					t.Fatalf("got %q with QoS %d, want %d", m.Payload, m.QoS, next[m.QoS])
				}
				next[m.QoS] += 3
			}
			if err := writer.Close(); err != nil {
				t.Error(err)
			}
			if m := receive(t, reader); m.Topic != "will" || string(m.Payload) != "gone" {
				t.Errorf("got %+v, want the will", m)
			}
			quiet := dial(Options{ClientID: "quiet", Will: &mqtt.Will{Topic: "will", Payload: []byte("wrong")}})
			if err := quiet.Disconnect(mqtt.Success); err != nil {
				t.Error(err)
			}
			if _, err := reader.Unsubscribe(soon(t), "a/+"); err != nil {
				t.Error(err)
			}
			if _, err := reader.Publish(soon(t), mqtt.Publish{Topic: "will", QoS: 1, Payload: []byte("last")}); err != nil {
				t.Error(err)
			}
			if m := receive(t, reader); string(m.Payload) != "last" {
				t.Errorf("got %q on %q, want nothing after Disconnect and Unsubscribe", m.Payload, m.Topic)
			}
		})
	}
}

// TestMosquittoKeepsTheSession: what was not taken comes again, and the keep alive holds the connection.
func TestMosquittoKeepsTheSession(t *testing.T) {
	url := broker(t)
	for _, v := range versions {
		o := Options{URL: url, Version: v, ClientID: "reader", KeepAlive: time.Second}
		if v == mqtt.V5 {
			o.Properties = &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 100}
		}
		clean := o
		clean.CleanStart = true
		if v != mqtt.V5 { // 3.x: a clean session is not kept
			first, err := Dial(soon(t), clean)
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Disconnect(mqtt.Success); err != nil {
				t.Error(err)
			}
			clean.CleanStart = false
		}
		first, err := Dial(soon(t), clean)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.Subscribe(soon(t), mqtt.Filter{Filter: "a", QoS: 2}); err != nil {
			t.Fatal(err)
		}
		writer, err := Dial(soon(t), Options{URL: url, Version: v, ClientID: "writer", CleanStart: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if _, err := writer.Publish(soon(t), mqtt.Publish{Topic: "a", QoS: 1 + byte(i%2), Payload: fmt.Append(nil, i)}); err != nil {
				t.Fatal(err)
			}
		}
		if m := receive(t, first); string(m.Payload) != "0" {
			t.Errorf("%v: got %q first", v, m.Payload)
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		second, err := Dial(soon(t), o)
		if err != nil {
			t.Fatal(err)
		}
		if v != mqtt.V31 && !second.Connack().SessionPresent {
			t.Errorf("%v: no session", v)
		}
		m := receive(t, second)
		if string(m.Payload) == "0" && m.Dup { // its PUBACK did not get through
			m = receive(t, second)
		}
		for i := 1; i < 10; i++ {
			if string(m.Payload) != fmt.Sprint(i) {
				t.Errorf("%v: got %q, want %d", v, m.Payload, i)
			}
			if i < 9 {
				m = receive(t, second)
			}
		}
		for _, c := range []*Client{second, writer} {
			if err := c.Disconnect(mqtt.Success); err != nil {
				t.Error(err)
			}
		}
	}
}
