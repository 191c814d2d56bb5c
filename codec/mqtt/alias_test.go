package mqtt

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestAliasedPublishIsTheSamePublish(t *testing.T) {
	for _, topic := range []string{"a", "sensors/boiler/temperature", strings.Repeat("x", 40_000)} {
		// Lengths around which the property length takes one byte more.
		for _, n := range []int{0, 1, 110, 118, 119, 120, 121, 122, 123, 124, 125, 16_370, 16_375, 16_376, 16_377, 16_378, 16_379, 16_380} {
			for qos := range byte(3) {
				for _, named := range []bool{true, false} {
					p := Publish{Topic: topic, Payload: []byte("payload")}
					if n > 0 {
						p.Properties = &Properties{Has: ContentType, ContentType: strings.Repeat("c", n)}
					}
					e, err := p.Encode(V5)
					if err != nil {
						t.Fatal(err)
					}
					if got := string(e.Topic()); got != topic {
						t.Fatalf("topic %.20q, want %.20q", got, topic)
					}
					b := e.AppendAliased([]byte("before"), true, qos, true, 0x0102, 0x0304, named)[6:]
					if qos == 0 {
						b = e.AppendAliased(nil, false, 0, true, 0, 0x0304, named)
					}
					if len(b) != e.SizeAliased(qos, named) {
						t.Fatalf("%d bytes, SizeAliased says %d", len(b), e.SizeAliased(qos, named))
					}
					h, k, err := ParseHeader(b)
					if err != nil || len(b) != k+h.Length {
						t.Fatal(h, k, len(b), err)
					}
					want := Publish{Dup: qos > 0, QoS: qos, Retain: true, Payload: p.Payload, Properties: &Properties{Has: TopicAlias, TopicAlias: 0x0304}}
					if qos > 0 {
						want.PacketID = 0x0102
					}
					if named {
						want.Topic = topic
					}
					if n > 0 {
						want.Properties.Has |= ContentType
						want.Properties.ContentType = p.Properties.ContentType
					}
					var got Publish
					if err := got.Parse(h.Flags, b[k:], V5); err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(got, want) {
						t.Fatalf("properties of %d bytes, QoS %d, named %v:\n got %+v\nwant %+v", n, qos, named, got, want)
					}
					if again, err := want.Append(nil, V5); err != nil || !bytes.Equal(sorted(again), sorted(b)) || len(again) != len(b) {
						t.Fatalf("Append writes %d bytes, AppendAliased %d (%v)", len(again), len(b), err)
					}
				}
			}
		}
	}
}

// sorted compares packets whose properties come in another order.
func sorted(b []byte) []byte {
	var n [256]int
	for _, x := range b {
		n[x]++
	}
	out := make([]byte, 0, len(b))
	for x, k := range n {
		out = append(out, bytes.Repeat([]byte{byte(x)}, k)...)
	}
	return out
}
