package buffer

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/edged/edged"
)

const killRounds = 25

// child appends numbered messages to two queues without end, and says "kept n" for each that was acknowledged. From the
// second queue it leases and acknowledges too, and says "got n" before each acknowledgement.
func child(dir string) int {
	cfg := testConfig()
	if os.Getenv(childEnv+"_SYNC") != "" {
		cfg.Sync = Sync(20e6)
	}
	s, err := Open(cfg, Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	idle, err := s.Queue("idle", edged.QueueLimits{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	busy, err := s.Queue("busy", edged.QueueLimits{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	more := make(chan struct{}, 1)
	busy.Notify(func() {
		select {
		case more <- struct{}{}:
		default:
		}
	})
	go func() {
		for range more {
			for {
				got, err := busy.Lease(50)
				if err != nil || len(got) == 0 {
					break
				}
				for _, m := range got {
					n, _, _ := strings.Cut(string(m.Payload), " ")
					say("got", n)
					busy.Ack(m.Seq)
				}
			}
		}
	}()
	window := make(chan struct{}, 200)
	for n := idle.Stats().Next; ; n++ {
		window <- struct{}{}
		text := strconv.FormatUint(n, 10)
		m := edged.Message{Topic: "t", Payload: []byte(text + strings.Repeat(" filling", int(n%40)))}
		s.Commit(edged.Batch{Message: m, To: []edged.Delivery{{Queue: idle, QoS: 1}, {Queue: busy, QoS: 1}}}, func(err error) {
			if err == nil {
				say("kept", text)
			}
			<-window
		})
	}
}

// say writes one line with one system call: what was said before a kill is in the pipe.
func say(what, n string) {
	if _, err := os.Stdout.WriteString(what + " " + n + "\n"); err != nil {
		os.Exit(2)
	}
}

// runAndKill lets a child say some lines, kills it, and gives the highest numbers it said.
func runAndKill(t *testing.T, dir string, lines int, env ...string) (kept, got uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childEnv+"="+dir), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(out)
	for i := 0; sc.Scan(); i++ {
		what, num, _ := strings.Cut(sc.Text(), " ")
		n, err := strconv.ParseUint(num, 10, 64)
		if err != nil {
			break // the kill cut the line
		}
		if what == "kept" {
			kept = max(kept, n)
		} else {
			got = max(got, n)
		}
		if i == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if kept == 0 {
		t.Fatalf("the child kept nothing: %s", stderr.Bytes())
	}
	return kept, got
}

func number(t *testing.T, m edged.Queued) uint64 {
	t.Helper()
	text, _, _ := strings.Cut(string(m.Payload), " ")
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKilledStoreKeepsWhatItAcknowledged(t *testing.T) {
	for _, mode := range []string{"", childEnv + "_SYNC=1"} {
		t.Run("env "+mode, func(t *testing.T) { killTest(t, mode) })
	}
}

func killTest(t *testing.T, mode string) {
	dir := t.TempDir()
	next, total := uint64(1), 0
	for round := range killRounds {
		begin := next
		kept, got := runAndKill(t, dir, rand.IntN(3000), mode)
		s := open(t, dir, func(_ *Config, o *Options) {
			o.OnLoss = func(l edged.Loss) { t.Errorf("round %d: loss %+v", round, l) }
		})
		idle := mustQueue(t, s, "idle", edged.QueueLimits{})
		busy := mustQueue(t, s, "busy", edged.QueueLimits{})
		all := lease(t, idle, 1<<30)
		total += len(all)
		for i, m := range all {
			if number(t, m) != next || m.Seq != next {
				t.Fatalf("round %d: message %d has number %d and sequence number %d, want %d", round, i, number(t, m), m.Seq, next)
			}
			next++
			idle.Ack(m.Seq)
		}
		if next <= kept {
			t.Fatalf("round %d: %d was acknowledged, the queue ends before %d", round, kept, next)
		}
		rest := lease(t, busy, 1<<30)
		for i, m := range rest {
			if want := next - uint64(len(rest)-i); number(t, m) != want {
				t.Fatalf("round %d: the busy queue has %d at %d, want %d", round, number(t, m), i, want)
			}
			busy.Ack(m.Seq)
		}
		if first := next - uint64(len(rest)); first > max(begin, got+1) {
			t.Fatalf("round %d: the busy queue begins with %d, its consumer got only up to %d", round, first, got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d messages", killRounds, total)
}
