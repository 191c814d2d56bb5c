package mqtt

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// corpus is a packet of every type and version, with every kind of field.
func corpus(t testing.TB) (packets [][]byte) {
	t.Helper()
	all := &Properties{Has: ContentType | CorrelationData | PayloadFormatIndicator | MessageExpiryInterval | ResponseTopic,
		ContentType: "text", CorrelationData: []byte{1, 2}, ResponseTopic: "r/t", User: []UserProperty{{"a", "b"}, {"c", "d"}}}
	why := &Properties{Has: ReasonString, ReasonString: "why", User: []UserProperty{{"a", "b"}}}
	method := &Properties{Has: AuthenticationMethod | AuthenticationData, AuthenticationMethod: "M", AuthenticationData: []byte{1}}
	for _, v := range versions {
		for _, p := range []Packet{
			&Connect{Version: v, KeepAlive: 60, ClientID: "client", Will: &Will{Topic: "will", Payload: []byte("gone"), QoS: 1, Properties: all},
				HasUsername: true, Username: "user", HasPassword: true, Password: []byte("secret"),
				Properties: &Properties{Has: SessionExpiryInterval | ReceiveMaximum, SessionExpiryInterval: 10, ReceiveMaximum: 5}},
			&Connect{Version: v, CleanStart: true},
			&Connack{Code: NotAuthorized, Properties: why},
			&Publish{QoS: 1, Topic: "a/b", PacketID: 7, Payload: []byte("payload"), Properties: all},
			&Publish{Topic: "a/b", Payload: []byte("payload")},
			&Puback{1, Success, why}, &Pubrec{2, QuotaExceeded, nil}, &Pubrel{3, Success, nil}, &Pubcomp{4, PacketIdentifierNotFound, why},
			&Subscribe{5, []Filter{{"a/+/b", 1, true, true, 2}, {"$share/g/#", 2, false, false, 0}}, &Properties{SubscriptionIdentifiers: []uint32{300}}},
			&Suback{5, []ReasonCode{1, 0x80}, why},
			&Unsubscribe{6, []string{"a/+/b", "#"}, &Properties{User: []UserProperty{{"a", "b"}}}},
			&Unsuback{6, []ReasonCode{0, 0x11}, why},
			&Pingreq{}, &Pingresp{},
			&Disconnect{ServerBusy, why}, &Disconnect{},
			&Auth{ContinueAuthentication, method},
		} {
			if p.Type() == AUTH && v != V5 {
				continue
			}
			b, err := p.Append(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			packets = append(packets, b)
		}
	}
	return packets
}

// checkParsed parses a body in every version; what is read must be written, and read again as the same.
func checkParsed(t testing.TB, first byte, body []byte) {
	t.Helper()
	before := bytes.Clone(body)
	for _, v := range versions {
		h := Header{Type: Type(first >> 4), Flags: first & 0xF, Length: len(body)}
		p, err := Parse(h, body, v)
		if err != nil {
			if _, ok := err.(*Error); !ok { //nolint:errorlint // exactly this type, and not wrapped
				t.Fatalf("% X in %s: the error is a %T", body, v, err)
			}
			continue
		}
		b, err := p.Append(nil, v)
		if err != nil {
			t.Fatalf("%02X % X in %s: read, but not written again: %v", first, body, v, err)
		}
		q, err := parseWhole(b, v)
		if err != nil {
			t.Fatalf("%02X % X in %s: written as % X, which cannot be read: %v", first, body, v, b, err)
		}
		if !reflect.DeepEqual(p, q) {
			t.Fatalf("%02X % X in %s:\nfirst %+v\n then %+v", first, body, v, p, q)
		}
	}
	if !bytes.Equal(before, body) {
		t.Fatalf("the body was changed from % X to % X", before, body)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range corpus(f) {
		_, n, err := ParseHeader(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[0], b[n:])
	}
	f.Fuzz(func(t *testing.T, first byte, body []byte) { checkParsed(t, first, body) })
}

// TestMutations does what fuzzing does, in a short time and the same way each time: bytes changed, taken away, doubled, and
// packets cut into one another.
func TestMutations(t *testing.T) {
	packets := corpus(t)
	random := rand.New(rand.NewPCG(1, 2))
	interesting := []byte{0, 1, 2, 3, 0x0B, 0x1F, 0x23, 0x26, 0x7F, 0x80, 0xC0, 0xED, 0xFF, '#', '+', '/', '$'}
	for range 60_000 {
		b := bytes.Clone(packets[random.IntN(len(packets))])
		_, n, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		first, body := b[0], b[n:]
		for range 1 + random.IntN(3) {
			if len(body) == 0 {
				break
			}
			i := random.IntN(len(body))
			switch random.IntN(6) {
			case 0:
				body[i] = byte(random.IntN(256))
			case 1:
				body[i] = interesting[random.IntN(len(interesting))]
			case 2:
				body[i] ^= 1 << random.IntN(8)
			case 3:
				body = append(body[:i:i], body[min(len(body), i+1+random.IntN(4)):]...)
			case 4:
				body = append(body[:i:i], append([]byte{interesting[random.IntN(len(interesting))]}, body[i:]...)...)
			case 5:
				other := packets[random.IntN(len(packets))]
				body = append(body[:i:i], other[random.IntN(len(other)):]...)
			}
		}
		checkParsed(t, first, body)
	}
}
