package buffer

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/edged/edged"
)

// BenchmarkIngest commits groups of messages of 200 bytes: the next group when all of one are done.
func BenchmarkIngest(b *testing.B) {
	for _, size := range []int{1, 10, 100, 500} {
		b.Run(strconv.Itoa(size)+"_a_group", func(b *testing.B) {
			s := open(b, b.TempDir())
			ingest(b, s, mustQueue(b, s, "q", edged.QueueLimits{}), b.N, size)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(anonymous(b), "anon_MB")
		})
	}
}

// BenchmarkDrain leases and acknowledges a backlog that is on disk.
func BenchmarkDrain(b *testing.B) {
	s := open(b, b.TempDir())
	ingest(b, s, mustQueue(b, s, "q", edged.QueueLimits{}), b.N, 100)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	s = open(b, s.dir)
	q := mustQueue(b, s, "q", edged.QueueLimits{})
	b.ResetTimer()
	for n := 0; n < b.N; {
		got := lease(b, q, 100)
		for _, m := range got {
			q.Ack(m.Seq)
		}
		n += len(got)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(anonymous(b), "anon_MB")
	b.ReportMetric(float64(folderSize(b, s.dir))/1e6, "disk_MB_after")
}

func ingest(b *testing.B, s *Store, q edged.Queue, n, group int) {
	b.Helper()
	batch := edged.Batch{Message: edged.Message{Topic: "sensors/boiler/voltage", Payload: make([]byte, 200), QoS: 1, From: "boiler"}, To: []edged.Delivery{{Queue: q, QoS: 1}}}
	for n > 0 {
		var wg sync.WaitGroup
		now := min(group, n)
		wg.Add(now)
		for range now {
			s.Commit(batch, func(err error) {
				if err != nil {
					b.Error(err)
				}
				wg.Done()
			})
		}
		wg.Wait()
		n -= now
	}
}

// anonymous is the process's anonymous memory: what is not a cache of the files.
func anonymous(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1000
}
