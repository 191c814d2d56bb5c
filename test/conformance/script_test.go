package conformance

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

var target = flag.String("target", "", "host:port of another broker that the statements are tried on")

// patience is how long a script waits for what must come.
const patience = 10 * time.Second

var (
	all  = []mqtt.Version{mqtt.V5, mqtt.V311, mqtt.V31}
	v3   = []mqtt.Version{mqtt.V311, mqtt.V31}
	v5   = []mqtt.Version{mqtt.V5}
	v311 = []mqtt.Version{mqtt.V311}
	v31  = []mqtt.Version{mqtt.V31}
	not3 = []mqtt.Version{mqtt.V5, mqtt.V311} // not 3.1
)

// testCase is one statement and the versions that it is tried in.
type testCase struct {
	name     string
	versions []mqtt.Version
	run      func(s *script)
}

// script is a case that runs. Its topics and client identifiers are its own, as the broker may be shared.
type script struct {
	t       *testing.T
	addr    string
	version mqtt.Version
	topic   string // a topic name without wildcards
	failf   func(format string, args ...any)
}

// play runs a case; knownFailures turns its result around.
func play(t *testing.T, name string, v mqtt.Version, run func(s *script)) {
	t.Parallel()
	s := &script{t: t, version: v, topic: unique("t/")}
	problem := ""
	s.failf = func(format string, args ...any) {
		problem = where() + fmt.Sprintf(format, args...)
		runtime.Goexit()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.addr = *target
		if s.addr == "" {
			s.start()
		}
		run(s)
	}()
	<-done
	reason, known := knownFailures[name+"/"+v.String()]
	switch {
	case known && problem == "" && *target == "":
		t.Errorf("passes: take it out of knownFailures (%s)", reason)
	case known:
		t.Logf("fails as known, %s: %s", reason, problem)
	case problem != "":
		t.Error(problem)
	}
}

// where is the line of the case that failed: the innermost frame outside of the vocabulary.
func where() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		file := filepath.Base(f.File)
		if file != "script_test.go" && file != "peer_test.go" {
			return fmt.Sprintf("%s:%d: ", file, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// start makes a broker of the script's own, configured by change.
func (s *script) start(change ...func(*broker.Config)) *brokertest.Running {
	var options []brokertest.Option
	for _, f := range change {
		options = append(options, brokertest.Config(f))
	}
	r := brokertest.Start(s.t, options...)
	s.addr = r.Addr()
	return r
}

var names atomic.Int64

// unique makes a name that no other case and no other run has; with a short prefix it is a client identifier of 3.1 too.
func unique(prefix string) string {
	return fmt.Sprintf("%s%x-%d", prefix, started, names.Add(1))
}

var started = time.Now().UnixMilli() & 0xFFFFFFFFF

// packet encodes a packet by hand. A string is written with its length, a uint16 as two bytes, an int or a rune as one byte,
// and bytes as they are.
func packet(first byte, parts ...any) []byte {
	body := join(parts...)
	n := len(body)
	b := []byte{first}
	for {
		if n < 0x80 {
			return append(append(b, byte(n)), body...)
		}
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
}

func join(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, byte(len(p)>>8), byte(len(p)))
			b = append(b, p...)
		case uint16:
			b = append(b, byte(p>>8), byte(p))
		case int:
			b = append(b, byte(p))
		case rune:
			b = append(b, byte(p))
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("a packet has no place for a %T", p))
		}
	}
	return b
}

// bytesOf reads "30 05 00 01".
func bytesOf(digits string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// props is a property list, which 3.x has not.
func (s *script) props(b ...byte) []byte {
	if s.version != mqtt.V5 {
		return nil
	}
	return append([]byte{byte(len(b))}, b...)
}

// protocol is how CONNECT begins in the script's version.
func (s *script) protocol() []byte {
	name := "MQTT"
	if s.version == mqtt.V31 {
		name = "MQIsdp"
	}
	return join(name, int(s.version))
}

// rawConnect is a CONNECT by hand, with what follows the client identifier.
func (s *script) rawConnect(flags int, rest ...any) []byte {
	return packet(0x10, s.protocol(), flags, uint16(60), s.props(), unique("c"), join(rest...))
}

// check fails unless ok.
func (s *script) check(ok bool, format string, args ...any) {
	if !ok {
		s.failf(format, args...)
	}
}

// wait lets more than a second pass: that of the shortest expiry interval.
func (s *script) wait() {
	clock := s.connect(func(c *mqtt.Connect) { c.KeepAlive = 1 })
	_, _ = clock.next() // DISCONNECT or the end, whatever the broker says
}

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func oneOf(code mqtt.ReasonCode, codes []mqtt.ReasonCode) bool { return slices.Contains(codes, code) }
