package mqtt

import (
	"strings"
	"testing"
)

func TestConnectBytes(t *testing.T) {
	// The variable header of MQTT 5.0 §3.1.2.12, figure 3-6.
	golden(t, V5, &Connect{
		Version: V5, CleanStart: true, KeepAlive: 10, ClientID: "c",
		Will:        &Will{Topic: "w", Payload: []byte("gone"), QoS: 1},
		HasUsername: true, Username: "u", HasPassword: true, Password: []byte("p"),
		Properties: &Properties{Has: SessionExpiryInterval, SessionExpiryInterval: 10},
	}, `10 23
		00 04 4D 51 54 54  # MQTT
		05                 # version
		CE                 # user name, password, will QoS 1, will, clean start
		00 0A              # keep alive
		05 11 00 00 00 0A  # properties: session expiry interval 10
		00 01 63           # client identifier
		00                 # will properties
		00 01 77  00 04 67 6F 6E 65
		00 01 75  00 01 70`)
	// The variable header of MQTT 3.1.1 §3.1.2.10, figure 3-6.
	golden(t, V311, &Connect{
		Version: V311, CleanStart: true, KeepAlive: 10, ClientID: "c",
		Will:        &Will{Topic: "w", Payload: []byte("gone"), QoS: 1},
		HasUsername: true, Username: "u", HasPassword: true, Password: []byte("p"),
	}, `10 1C  00 04 4D 51 54 54  04 CE 00 0A  00 01 63  00 01 77  00 04 67 6F 6E 65  00 01 75  00 01 70`)
	golden(t, V31, &Connect{Version: V31, KeepAlive: 65535, ClientID: "gateway"},
		`10 15  00 06 4D 51 49 73 64 70  03 00 FF FF  00 07 67 61 74 65 77 61 79`)
	golden(t, V5, &Connect{Version: V5}, `10 0D  00 04 4D 51 54 54  05 00 00 00  00  00 00`)
	golden(t, V5, &Connect{Version: V5, HasPassword: true, Password: []byte{0}}, `10 10  00 04 4D 51 54 54  05 40 00 00  00  00 00  00 01 00`)
	golden(t, V5, &Connect{
		Version: V5, CleanStart: true,
		Will: &Will{Topic: "w", Payload: []byte{1}, QoS: 2, Retain: true, Properties: &Properties{Has: WillDelayInterval, WillDelayInterval: 3}},
	}, `10 19  00 04 4D 51 54 54  05 36 00 00  00  00 00  05 18 00 00 00 03  00 01 77  00 01 01`)
}

func TestConnectVersionOfThePacketCounts(t *testing.T) {
	b, err := (&Connect{CleanStart: true}).Append(nil, V311)
	if err != nil {
		t.Fatal(err)
	}
	var p Connect
	if err := p.Parse(0, b[2:], V5); err != nil || p.Version != V311 {
		t.Errorf("got version %v, %v", p.Version, err)
	}
	if other, err := (&Connect{Version: V311, CleanStart: true}).Append(nil, V5); err != nil || string(other) != string(b) {
		t.Errorf("got % X, %v; want % X", other, err, b)
	}
}

// In 3.1 the user name and the password may be missing although their flags are set.
func TestConnect31MissingCredentials(t *testing.T) {
	head := "00 06 4D 51 49 73 64 70  03 C2 00 0A  00 01 63 "
	for body, want := range map[string][2]bool{head: {false, false}, head + "00 01 75": {true, false}, head + "00 01 75 00 01 70": {true, true}} {
		var p Connect
		if err := p.Parse(0, unhex(t, body), 0); err != nil || [2]bool{p.HasUsername, p.HasPassword} != want {
			t.Errorf("%s: got %+v, %v", body, p, err)
		}
	}
	var p Connect
	wantError(t, p.Parse(0, unhex(t, head+"00"), 0), MalformedPacket, "")
}

func TestConnectRefused(t *testing.T) {
	const mqtt4, mqtt5 = "00 04 4D 51 54 54 04 ", "00 04 4D 51 54 54 05 "
	refuses(t, []refusal{
		{"other protocol", V5, "10 0C 00 04 48 54 54 50 04 02 00 00 00 00", UnsupportedProtocolVersion, "MQTT-3.1.2-1"},
		{"lower case name", V5, "10 0C 00 04 6D 71 74 74 04 02 00 00 00 00", UnsupportedProtocolVersion, "MQTT-3.1.2-1"},
		{"3.1's name with 4", V5, "10 0E 00 06 4D 51 49 73 64 70 04 02 00 00 00 00", UnsupportedProtocolVersion, "MQTT-3.1.2-1"},
		{"MQTT with 3", V5, "10 0C 00 04 4D 51 54 54 03 02 00 00 00 00", UnsupportedProtocolVersion, "MQTT-3.1.2-1"},
		{"ill-formed name", V5, "10 0C 00 04 FF 51 54 54 04 02 00 00 00 00", MalformedPacket, "MQTT-1.5.4-1"},
		{"version 6", V5, "10 0D 00 04 4D 51 54 54 06 02 00 00 00 00 00", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
		{"a bridge's 0x84", V5, "10 0C 00 04 4D 51 54 54 84 02 00 00 00 00", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
		{"reserved flag", V311, "10 0D " + mqtt4 + "03 00 00 00 01 63", MalformedPacket, "MQTT-3.1.2-3"},
		{"will QoS without will", V311, "10 0D " + mqtt4 + "0A 00 00 00 01 63", MalformedPacket, "MQTT-3.1.2-13"},
		{"will retain without will", V311, "10 0D " + mqtt4 + "22 00 00 00 01 63", MalformedPacket, "MQTT-3.1.2-15"},
		{"will QoS 3", V311, "10 12 " + mqtt4 + "1E 00 00 00 01 63 00 01 77 00 00", MalformedPacket, "MQTT-3.1.2-14"},
		{"will topic empty", V311, "10 11 " + mqtt4 + "06 00 00 00 01 63 00 00 00 00", TopicNameInvalid, "MQTT-4.7.3-1"},
		{"will topic with #", V311, "10 12 " + mqtt4 + "06 00 00 00 01 63 00 01 23 00 00", TopicNameInvalid, "MQTT-4.7.0-1"},
		{"will topic with U+0000", V311, "10 12 " + mqtt4 + "06 00 00 00 01 63 00 01 00 00 00", MalformedPacket, "MQTT-1.5.4-2"},
		{"will missing", V311, "10 0D " + mqtt4 + "06 00 00 00 01 63", MalformedPacket, ""},
		{"will payload longer than the packet", V311, "10 12 " + mqtt4 + "06 00 00 00 01 63 00 01 77 FF FF", MalformedPacket, ""},
		{"password without user name", V311, "10 10 " + mqtt4 + "42 00 00 00 01 63 00 01 70", MalformedPacket, "MQTT-3.1.2-22 of 3.1.1"},
		{"empty client id, session kept", V311, "10 0C " + mqtt4 + "00 00 00 00 00", ClientIdentifierNotValid, "MQTT-3.1.3-8 of 3.1.1"},
		{"client id a surrogate", V311, "10 0F " + mqtt4 + "02 00 00 00 03 ED A0 80", MalformedPacket, "MQTT-1.5.4-1"},
		{"client id with U+0000", V311, "10 0D " + mqtt4 + "02 00 00 00 01 00", MalformedPacket, "MQTT-1.5.4-2"},
		{"user name missing", V311, "10 0D " + mqtt4 + "82 00 00 00 01 63", MalformedPacket, ""},
		{"user name ill-formed", V311, "10 10 " + mqtt4 + "82 00 00 00 01 63 00 01 C0", MalformedPacket, "MQTT-1.5.4-1"},
		{"bytes left over", V311, "10 0E " + mqtt4 + "02 00 00 00 01 63 00", MalformedPacket, ""},
		{"user name without its flag", V5, "10 11 " + mqtt5 + "02 00 00 00 00 01 63 00 01 75", MalformedPacket, ""},
		{"receive maximum 0", V5, "10 10 " + mqtt5 + "02 00 00 03 21 00 00 00 00", ProtocolError, ""},
		{"a will's property on the packet", V5, "10 12 " + mqtt5 + "02 00 00 05 18 00 00 00 01 00 00", MalformedPacket, ""},
		{"a packet's property on the will", V5, "10 18 " + mqtt5 + "06 00 00 00 00 00 05 11 00 00 00 01 00 01 77 00 00", MalformedPacket, ""},
		{"authentication data alone", V5, "10 12 " + mqtt5 + "02 00 00 04 16 00 01 78 00 01 63", ProtocolError, ""},
		{"flags in the first byte", V311, "12 0D " + mqtt4 + "02 00 00 00 01 63", MalformedPacket, "MQTT-2.1.3-1"},
	})
}

func TestConnectRefusedSaysWhichVersionWasAskedFor(t *testing.T) {
	var p Connect
	err := p.Parse(0, unhex(t, "00 04 4D 51 54 54 09 02 00 00 00 00 00"), V5)
	wantError(t, err, UnsupportedProtocolVersion, "MQTT-3.1.2-2")
	if p.Version != 9 {
		t.Errorf("got version %d, want 9", p.Version)
	}
	err = p.Parse(0, unhex(t, "00 04 4D 51 54 54 04 03 00 00 00 00"), V5)
	wantError(t, err, MalformedPacket, "MQTT-3.1.2-3")
	if p.Version != V311 {
		t.Errorf("got version %d, want 3.1.1: the answer is written in it", p.Version)
	}
}

func TestConnectCut(t *testing.T) {
	for _, v := range versions[1:] {
		b, err := (&Connect{Version: v, ClientID: "c", Will: &Will{Topic: "t"}, HasUsername: true, Username: "u", HasPassword: true, Password: []byte("p")}).Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		truncations(t, v, b)
	}
}

func TestConnectNotWritten(t *testing.T) {
	long := strings.Repeat("x", 65_536)
	wantAppendError(t, &Connect{Version: 9}, V5, UnsupportedProtocolVersion, "MQTT-3.1.2-2")
	wantAppendError(t, &Connect{}, 0, UnsupportedProtocolVersion, "MQTT-3.1.2-2")
	wantAppendError(t, &Connect{ClientID: long}, V5, MalformedPacket, "")
	wantAppendError(t, &Connect{ClientID: "\xff"}, V5, MalformedPacket, "MQTT-1.5.4-1")
	wantAppendError(t, &Connect{ClientID: "c", HasPassword: true}, V311, MalformedPacket, "MQTT-3.1.2-22 of 3.1.1")
	wantAppendError(t, &Connect{HasPassword: true, Password: []byte(long)}, V5, MalformedPacket, "")
	wantAppendError(t, &Connect{}, V311, ClientIdentifierNotValid, "MQTT-3.1.3-8 of 3.1.1")
	wantAppendError(t, &Connect{Will: &Will{}}, V5, TopicNameInvalid, "MQTT-4.7.3-1")
	wantAppendError(t, &Connect{Will: &Will{Topic: "t", QoS: 3}}, V5, MalformedPacket, "MQTT-3.1.2-14")
	wantAppendError(t, &Connect{Will: &Will{Topic: "t", Payload: []byte(long)}}, V5, MalformedPacket, "")
}
