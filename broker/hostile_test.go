package broker_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

func TestHostileInputEndsThatConnectionOnly(t *testing.T) {
	r := brokertest.Start(t)
	good := clean(t, r, "good", mqtt.V5)
	for name, c := range map[string]struct {
		bytes []byte
		code  mqtt.ReasonCode
	}{
		"SUBSCRIBE cut before its options":     {[]byte{0x82, 6, 0, 1, 0, 0, 1, 'a'}, mqtt.MalformedPacket},
		"a lying length":                       {[]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, mqtt.PacketTooLarge},
		"a length that is not minimal":         {[]byte{0xC0, 0x80, 0x00}, mqtt.MalformedPacket},
		"packet type 0":                        {[]byte{0x00, 0}, mqtt.MalformedPacket},
		"QoS 3":                                {[]byte{0x36, 3, 0, 1, 'a'}, mqtt.MalformedPacket},
		"packet identifier 0":                  {[]byte{0x32, 6, 0, 1, 'a', 0, 0, 0}, mqtt.ProtocolError},
		"a wildcard in a topic":                {[]byte{0x30, 4, 0, 1, '#', 0}, mqtt.TopicNameInvalid},
		"PUBREL with the wrong flags":          {[]byte{0x60, 2, 0, 1}, mqtt.MalformedPacket},
		"a second CONNECT":                     {encode(t, &mqtt.Connect{Version: mqtt.V5, ClientID: "y"}), mqtt.ProtocolError},
		"CONNACK from a client":                {encode(t, &mqtt.Connack{}), mqtt.ProtocolError},
		"AUTH out of turn":                     {encode(t, &mqtt.Auth{Code: mqtt.ReAuthenticate, Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "x"}}), mqtt.ProtocolError},
		"a topic alias above the maximum":      {encode(t, &mqtt.Publish{Topic: "a", Properties: &mqtt.Properties{Has: mqtt.TopicAlias, TopicAlias: 65}}), mqtt.TopicAliasInvalid},
		"an unknown topic alias":               {encode(t, &mqtt.Publish{Properties: &mqtt.Properties{Has: mqtt.TopicAlias, TopicAlias: 6}}), mqtt.ProtocolError},
		"a subscription identifier in PUBLISH": {encode(t, &mqtt.Publish{Topic: "a", Properties: &mqtt.Properties{SubscriptionIdentifiers: []uint32{6}}}), mqtt.ProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			bad := clean(t, r, "bad", mqtt.V5)
			bad.bytes(c.bytes)
			bad.expectEnd(c.code)
			old := clean(t, r, "old", mqtt.V311)
			old.bytes(c.bytes)
			if !strings.Contains(name, "alias") && !strings.Contains(name, "AUTH") && !strings.Contains(name, "identifier in") && !strings.Contains(name, "QoS 0") {
				old.expectEnd(0)
			}
			good.quiet()
		})
	}
	equal(t, "panics", r.Stats().Panics, uint64(0))
}

func encode(t *testing.T, p mqtt.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil, mqtt.V5)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBadConnects(t *testing.T) {
	r := brokertest.Start(t)
	for name, c := range map[string]struct {
		p    mqtt.Connect
		want mqtt.ReasonCode
	}{
		"3.1 without identifier":    {mqtt.Connect{Version: mqtt.V31, CleanStart: true}, mqtt.ClientIdentifierNotValid},
		"too long an identifier":    {mqtt.Connect{Version: mqtt.V5, ClientID: strings.Repeat("x", 1025)}, mqtt.ClientIdentifierNotValid},
		"a will under $SYS":         {mqtt.Connect{Version: mqtt.V5, ClientID: "x", Will: &mqtt.Will{Topic: "$SYS/x"}}, mqtt.NotAuthorized},
		"an unknown authentication": {mqtt.Connect{Version: mqtt.V5, ClientID: "x", Properties: &mqtt.Properties{Has: mqtt.AuthenticationMethod, AuthenticationMethod: "x"}}, mqtt.BadAuthenticationMethod},
	} {
		t.Run(name, func(t *testing.T) {
			x := dial(t, r)
			x.v = c.p.Version
			x.send(&c.p)
			got := expect[*mqtt.Connack](x)
			if x.v == mqtt.V5 && got.Code != c.want || got.Code.ReturnCode() != c.want.ReturnCode() {
				t.Fatalf("CONNACK %v, want %v", got.Code, c.want)
			}
			x.expectEnd(0)
		})
	}
	kept := dial(t, r)
	kept.bytes([]byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 0, 0, 0, 0, 0}) // no clean session, no client identifier
	equal(t, "CONNACK return code", expect[*mqtt.Connack](kept).Code.ReturnCode(), byte(2))
	kept.expectEnd(0)
	x := clean(t, r, "", mqtt.V5)
	if x.ack.Properties.AssignedClientIdentifier == "" {
		t.Fatal("no client identifier was assigned")
	}
	clean(t, r, "", mqtt.V311).quiet()

	next := dial(t, r)
	next.v = mqtt.V5
	next.bytes([]byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 9, 2, 0, 0, 0, 0, 0})
	equal(t, "CONNACK for level 9", expect[*mqtt.Connack](next).Code, mqtt.UnsupportedProtocolVersion)
	for _, first := range [][]byte{{0xC0, 0}, {0x30, 3, 0, 1, 'a'}, []byte("GET / HTTP/1.1\r\n\r\n"), {0x30, 0xFF, 0x7F}} {
		x := dial(t, r)
		x.bytes(first)
		x.expectEnd(0)
	}
}

func TestConnectTimeout(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.ConnectTimeout = 300 * time.Millisecond }))
	silent, slow := dial(t, r), dial(t, r)
	slow.bytes([]byte{0x10, 13, 0, 4})
	silent.expectEnd(0)
	slow.expectEnd(0)
	equal(t, "refused", r.Stats().Refused, uint64(2))
}

func TestOneByteAtATime(t *testing.T) {
	r := brokertest.Start(t)
	x := dial(t, r)
	x.v = mqtt.V5
	var b []byte
	for _, p := range []mqtt.Packet{
		&mqtt.Connect{Version: mqtt.V5, ClientID: "x", CleanStart: true}, &mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "a", QoS: 2}}},
		&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 2, Payload: bytes.Repeat([]byte("y"), 300)},
	} {
		b = append(b, encode(t, p)...)
	}
	for i := range b {
		x.bytes(b[i : i+1])
	}
	expect[*mqtt.Connack](x)
	expect[*mqtt.Suback](x)
	equal(t, "payload", len(expect[*mqtt.Publish](x).Payload), 300)
	expect[*mqtt.Puback](x)
}

func TestPacketsOfEverySizeAreTakenUpToTheLimit(t *testing.T) {
	const limit = 300_000
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.PacketBytes = limit }))
	x := clean(t, r, "x", mqtt.V311)
	x.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	for _, n := range []int{0, 4080, 4096, 65_530, 65_536, 70_000, 200_000, limit - 9} {
		x.publish1(mqtt.Publish{Topic: "a", QoS: 1, PacketID: 5, Payload: bytes.Repeat([]byte("y"), n)})
		equal(t, "size", len(x.receive().Payload), n)
		expect[*mqtt.Puback](x)
	}
	x.publish1(mqtt.Publish{Topic: "a", QoS: 1, PacketID: 5, Payload: make([]byte, limit-8)})
	x.expectEnd(0)
}

func (p *peer) publish1(m mqtt.Publish) { p.t.Helper(); p.send(&m) }

func TestLyingLengthsAllocateNothing(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.PacketBytes = 256 << 20 }))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var peers []*peer
	for i := range 16 {
		x := clean(t, r, fmt.Sprint("x", i), mqtt.V311)
		x.bytes([]byte{0x30, 0x80, 0x80, 0x80, 0x7F, 0, 1, 'a'}) // 254 MB
		peers = append(peers, x)
	}
	eventually(t, "read", func() bool { return r.Stats().BytesReceived >= 16*8 })
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Fatalf("%d bytes for %d connections", grown, len(peers))
	}
}

func TestAFloodOfPingsUnreadEnds(t *testing.T) {
	r := brokertest.Start(t)
	x := clean(t, r, "x", mqtt.V311)
	flood := bytes.Repeat([]byte{0xC0, 0}, 32<<10)
	x.nc.SetWriteDeadline(time.Now().Add(patience))
	for range 2000 { // 128 MB; the answers nobody reads fill the sockets' buffers, then the bound
		if _, err := x.nc.Write(flood); err != nil {
			break
		}
	}
	eventually(t, "the client is gone", func() bool { return r.Stats().Connected == 0 })
}

func TestDeepFiltersAreRefused(t *testing.T) {
	r := brokertest.Start(t)
	x := clean(t, r, "x", mqtt.V5)
	x.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "a"}, {Filter: strings.Repeat("/", 200)}}})
	equal(t, "SUBACK", expect[*mqtt.Suback](x).Codes, []mqtt.ReasonCode{mqtt.GrantedQoS0, mqtt.QuotaExceeded})
	old := clean(t, r, "old", mqtt.V311)
	old.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: strings.Repeat("/", 200)}}})
	equal(t, "SUBACK", expect[*mqtt.Suback](old).Codes, []mqtt.ReasonCode{mqtt.UnspecifiedError})
}
