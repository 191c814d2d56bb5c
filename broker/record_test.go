package broker

import (
	"reflect"
	"testing"
	"time"

	"github.com/edged/edged"
)

func TestMessageRecordsRoundTrip(t *testing.T) {
	for _, m := range []edged.Message{
		{Topic: "a", Payload: []byte("x"), Retain: true, Time: time.Unix(5, 7)},
		{Topic: "a/b", Payload: []byte{0, 255}, QoS: 2, Retain: true, From: "me", Time: time.Unix(5, 7), Props: &edged.Properties{
			HasPayloadFormat: true, PayloadFormat: 1, HasExpiry: true, Expiry: 9, HasContentType: true, ContentType: "c", ResponseTopic: "r", CorrelationData: []byte{1}, User: []edged.UserProperty{{Name: "a", Value: "b"}, {Name: "a", Value: "c"}},
		}},
	} {
		b := appendMessage([]byte("before"), &m)[6:]
		got, err := parseMessage(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("got %+v, %v, want %+v", got, err, m)
		}
		for n := range b {
			if _, err := parseMessage(b[:n]); err == nil {
				t.Fatalf("%d of %d bytes are a record", n, len(b))
			}
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(appendMessage(nil, &edged.Message{Topic: "a", Payload: []byte("x"), QoS: 1, From: "me", Time: time.Unix(1, 1), Props: &edged.Properties{HasExpiry: true}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil {
			return
		}
		again, err := parseMessage(appendMessage(nil, &m))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}
