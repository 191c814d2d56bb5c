package faults

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
	"github.com/edged/edged/test/peers"
)

// long bounds what all messages of a test may take to arrive.
const long = 90 * time.Second

// scene is edged between its publishers and its readers:
//
//	publishers (QoS 1 and 2, versions 3.1.1 and 5) ──► edged ──► local reader, persistent session
//	                                                     └── line ──► mosquitto ──► cloud reader, persistent session
type scene struct {
	t          *testing.T
	random     *rand.Rand
	cloud      *peers.Mosquitto
	line       *line
	edged      *peers.Edged
	publishers []*publisher
	local, far *reader
	readers    []*reader
}

// section is edged's configuration behind the listeners.
func section(port int) string {
	return fmt.Sprintf(`
uplinks:
  - name: cloud
    urls: [mqtt://127.0.0.1:%d]
    keep_alive: 5s
    ack_timeout: 1s
    connect_timeout: 1s
    forward:
      - {from: "f/q1/#", to: "up/{topic}", qos: 1}
      - {from: "f/q2/#", to: "up/{topic}", qos: 2}
`, port)
}

// set sets the scene, with edged's data in folder data (empty: one of its own) and more sections of its configuration. There is the
// cloud's reader, and no publisher yet.
func set(t *testing.T, data, more string) *scene {
	t.Helper()
	s := &scene{t: t, random: random(t)}
	s.cloud = peers.StartMosquitto(t)
	s.line = lay(t, s.cloud.Port, rand.New(rand.NewPCG(s.random.Uint64(), 0)))
	s.edged = peers.StartEdged(t, binary, data, more+section(s.line.port()))
	s.far = read(t, s.cloud.Port, mqtt.V5, "up/#", "edged/+/uplinks/+/lost")
	s.readers = append(s.readers, s.far)
	return s
}

// listen adds the local reader.
func (s *scene) listen() {
	s.t.Helper()
	s.local = read(s.t, s.edged.Port, mqtt.V311, "f/#")
	s.readers = append(s.readers, s.local)
}

// crowd adds one publisher for each QoS and version.
func (s *scene) crowd(change ...func(*publisher)) {
	s.t.Helper()
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		for _, qos := range []byte{1, 2} {
			s.publishers = append(s.publishers, publish(s.t, s.edged.Port, fmt.Sprint("v", v), qos, v, change...))
		}
	}
}

// allow lets every publisher send n messages more.
func (s *scene) allow(n int) {
	for _, p := range s.publishers {
		p.allow(n)
	}
}

// acknowledged is how many messages edged has acknowledged.
func (s *scene) acknowledged() (n int) {
	for _, p := range s.publishers {
		n += p.acknowledged()
	}
	return n
}

// state says how far everybody is.
func (s *scene) state() string {
	var b strings.Builder
	for _, p := range s.publishers {
		fmt.Fprintln(&b, p.state())
	}
	for _, r := range s.readers {
		fmt.Fprintf(&b, "reader at port %d: %d messages\n", r.port, r.count())
	}
	return b.String()
}

// await waits until n messages more have been acknowledged, or all that may be sent.
func (s *scene) await(n int) {
	s.t.Helper()
	n += s.acknowledged()
	all := 0
	for _, p := range s.publishers {
		all += p.permitted()
	}
	n = min(n, all)
	eventually(s.t, long, func() bool { return s.acknowledged() >= n }, func() string { return fmt.Sprintf("%d acknowledged\n%s", n, s.state()) })
}

// settle waits until every publisher is done, a mark behind everything has come through the whole way, and nothing is under way any more.
func (s *scene) settle() {
	s.t.Helper()
	s.line.heal()
	s.finish()
	// A mark at each QoS follows the messages of that QoS through every queue.
	for qos := byte(1); qos <= 2; qos++ {
		mark := fmt.Sprintf("%d after %d", qos, s.acknowledged())
		s.mark(s.edged.Port, fmt.Sprintf("f/q%d/mark", qos), qos, mark)
		for _, r := range s.readers {
			eventually(s.t, long, func() bool { return r.marked(mark) }, func() string { return fmt.Sprintf("mark %q at port %d\n%s", mark, r.port, s.state()) })
		}
	}
}

// finish waits until every publisher has sent what it may, and all of it is acknowledged.
func (s *scene) finish() {
	s.t.Helper()
	eventually(s.t, long, func() bool {
		for _, p := range s.publishers {
			if !p.idle() {
				return false
			}
		}
		return true
	}, func() string { return "all publishers done\n" + s.state() })
}

// mark publishes straight to a broker.
func (s *scene) mark(port int, topic string, qos byte, payload string) {
	s.t.Helper()
	c, err := client.Dial(s.t.Context(), client.Options{URL: fmt.Sprintf("mqtt://127.0.0.1:%d", port), ClientID: "mark"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Publish(s.t.Context(), mqtt.Publish{Topic: topic, QoS: qos, Payload: []byte(payload)}); err != nil {
		s.t.Fatal(err)
	}
}

// check settles, stops edged in order, so that nothing of it is under way, and judges.
func (s *scene) check() {
	s.t.Helper()
	s.settle()
	s.edged.Stop(s.t)
	s.mark(s.cloud.Port, "up/mark", 2, "the end")
	eventually(s.t, long, func() bool { return s.far.marked("the end") }, s.state)
	for _, r := range s.readers {
		r.check(s.t, fmt.Sprint("reader at port ", r.port), s.publishers)
	}
}
