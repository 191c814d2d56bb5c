package mqtt

import (
	"bytes"
	"fmt"
	"testing"
)

// What Encoded appends for a subscriber is what Publish.Append would.
func TestEncodedIsThePublish(t *testing.T) {
	for _, v := range versions {
		for _, size := range []int{0, 1, 118, 120, 122, 124, 126, 128, 16_384} {
			for qos := range byte(3) {
				p := Publish{
					Dup: qos == 2, QoS: qos, Retain: size%2 == 0, Topic: "a/b", PacketID: 0x1234 * uint16(min(qos, 1)), Payload: bytes.Repeat([]byte{7}, size),
					Properties: &Properties{Has: ContentType, ContentType: "text/plain"},
				}
				want, err := p.Append(nil, v)
				if err != nil {
					t.Fatal(err)
				}
				e, err := p.Encode(v)
				if err != nil {
					t.Fatal(err)
				}
				got := e.Append([]byte("before"), p.Dup, p.QoS, p.Retain, p.PacketID)
				if !bytes.Equal(got[6:], want) || string(got[:6]) != "before" || e.Size(qos) != len(want) {
					t.Fatalf("%s, %d bytes, QoS %d, size %d:\n got % X\nwant % X", v, size, qos, e.Size(qos), got, want)
				}
			}
		}
	}
}

func TestEncodedCopiesAndIgnoresWhatDiffers(t *testing.T) {
	payload := []byte("payload")
	e, err := (&Publish{Topic: "t", Dup: true, QoS: 3, PacketID: 9, Payload: payload}).Encode(V311)
	if err != nil {
		t.Fatal(err)
	}
	clear(payload)
	if got := e.Append(nil, false, 0, false, 9); string(got) != "\x30\x0A\x00\x01tpayload" {
		t.Errorf("got %q", got)
	}
}

func TestEncodedRefuses(t *testing.T) {
	_, err := (&Publish{Topic: "a/#"}).Encode(V5)
	wantError(t, err, TopicNameInvalid, "MQTT-3.3.2-2")
	_, err = (&Publish{Topic: "\xff"}).Encode(V5)
	wantError(t, err, MalformedPacket, "MQTT-1.5.4-1")
	_, err = (&Publish{Topic: "t", Properties: &Properties{Has: TopicAlias, TopicAlias: 1}}).Encode(V5)
	wantError(t, err, TopicAliasInvalid, "MQTT-3.3.2-7")
	// In 3.x properties are left out, whatever they are.
	if _, err = (&Publish{Topic: "t", Properties: &Properties{Has: TopicAlias, TopicAlias: 1}}).Encode(V311); err != nil {
		t.Error(err)
	}
}

func TestEncodedAppendAllocatesNothing(t *testing.T) {
	e, err := (&Publish{Topic: "a/b", Payload: make([]byte, 200)}).Encode(V5)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = e.Append(buf[:0], false, 1, false, 7) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func ExamplePublish_Encode() {
	message := Publish{Topic: "devices/boiler/temperature", Payload: []byte("71.5")}
	once, err := message.Encode(V311)
	if err != nil {
		fmt.Println(err)
		return
	}
	for packetID := range uint16(3) { // three subscribers
		fmt.Printf("% X…\n", once.Append(nil, false, 1, false, packetID+1)[:4])
	}
	// Output:
	// 32 22 00 1A…
	// 32 22 00 1A…
	// 32 22 00 1A…
}

func BenchmarkEncodedAppend(b *testing.B) {
	e, err := (&Publish{Topic: "devices/boiler/temperature", Payload: make([]byte, 200)}).Encode(V5)
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0], false, 1, false, 7)
	}
}
