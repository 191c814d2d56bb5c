package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
	"github.com/edged/edged/test/peers"
)

// TestIOErrors: from one call on, the disk fails. Edged acknowledges nothing any more, says so, and still delivers live. The power cut
// afterwards shows that what had been acknowledged was on disk.
func TestIOErrors(t *testing.T) {
	for _, c := range []struct{ call, error string }{
		{"fdatasync", "EIO"}, {"fsync", "EIO"}, {"fallocate", "EIO"},
	} {
		t.Run(c.call+" "+c.error, func(t *testing.T) {
			d := ext4(t, 256<<20)
			s := set(t, d.dir+"/data", "")
			s.listen()
			s.crowd(func(p *publisher) { p.size = 2000 }, carefully)
			s.allow(50)
			s.await(100)
			inject(t, s.edged.PID(), c.call, c.error, 1)
			s.allow(400)
			eventually(t, long, func() bool { return s.edged.Ended() || said(s.edged, "the store failed") }, func() string { return "edged says that the store failed\n" + s.state() })
			if s.edged.Ended() {
				t.Fatal("edged has ended; it should go on to deliver live")
			}
			s.refused()
			var kept []int
			for _, p := range s.publishers {
				kept = append(kept, p.acknowledged())
			}
			// On a new connection they send again what was not acknowledged, which must not pass for kept now.
			for _, p := range s.publishers {
				p.reconnect(t)
			}
			s.refused()
			s.live("still here")
			for i, p := range s.publishers {
				if n := p.acknowledged(); n != kept[i] {
					t.Errorf("%s: %d messages were acknowledged after the disk had failed", p.name, n-kept[i])
				}
			}
			d.cut(t)
			s.edged.Kill(t)
			d.restore(t)
			s.edged.Start(t)
			s.check()
		})
	}
}

// said says whether edged printed a line with that text.
func said(e *peers.Edged, text string) bool {
	for _, line := range e.All() {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// carefully has a version 5 publisher wait for each acknowledgement: a message that is refused would be overtaken by those behind it.
func carefully(p *publisher) {
	if p.version == mqtt.V5 {
		p.window = 1
	}
}

// inject makes a system call of a running program fail from the n-th time on.
func inject(t *testing.T, pid int, call, failure string, n int) {
	t.Helper()
	strace := peers.Start(t, "strace", "strace", "-f", "-p", fmt.Sprint(pid), "-e", "trace="+call, "-e", "signal=none", "-e", fmt.Sprintf("inject=%s:error=%s:when=%d+", call, failure, n))
	strace.Line(t, 0, fmt.Sprintf("Process %d attached", pid))
}

// refused waits until every version 5 publisher was refused once more.
func (s *scene) refused() {
	s.t.Helper()
	for _, p := range s.publishers {
		if p.version == mqtt.V5 {
			before := p.refusals()
			eventually(s.t, long, func() bool { return p.refusals() > before }, func() string { return "a refusal\n" + s.state() })
		}
	}
}

// live publishes a QoS 0 message to a live subscriber and waits until it has it.
func (s *scene) live(payload string) {
	s.t.Helper()
	c, err := client.Dial(s.t.Context(), client.Options{URL: fmt.Sprintf("mqtt://127.0.0.1:%d", s.edged.Port), CleanStart: true, ClientID: "live"})
	if err != nil {
		s.t.Fatalf("a new client without a session: %v", err)
	}
	defer c.Close()
	if _, err := c.Subscribe(s.t.Context(), mqtt.Filter{Filter: "note"}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := c.Publish(s.t.Context(), mqtt.Publish{Topic: "note", Payload: []byte(payload)}); err != nil {
		s.t.Fatal(err)
	}
	select {
	case m := <-c.Messages():
		if string(m.Payload) != payload {
			s.t.Errorf("%q was delivered", m.Payload)
		}
	case <-time.After(long):
		s.t.Errorf("QoS 0 is not delivered live\n%s", s.state())
	}
}
