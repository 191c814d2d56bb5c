package mqtt

import "testing"

func TestPing(t *testing.T) {
	for _, v := range versions {
		golden(t, v, &Pingreq{}, "C0 00")
		golden(t, v, &Pingresp{}, "D0 00")
		refuses(t, []refusal{
			{"PINGREQ with a body", v, "C0 01 00", MalformedPacket, ""},
			{"PINGRESP with a body", v, "D0 01 00", MalformedPacket, ""},
			{"PINGREQ with flags", v, "C1 00", MalformedPacket, "MQTT-2.1.3-1"},
			{"PINGRESP with flags", v, "D8 00", MalformedPacket, "MQTT-2.1.3-1"},
		})
	}
}
