package mqtt

import "strconv"

// Version is the protocol level byte of CONNECT, by which a connection's version of MQTT is known.
type Version byte

// The versions that this package speaks.
const (
	V31  Version = 3 // MQTT 3.1, protocol name MQIsdp
	V311 Version = 4 // MQTT 3.1.1, protocol name MQTT
	V5   Version = 5 // MQTT 5.0, protocol name MQTT
)

// String is the version as people write it: "3.1", "3.1.1", "5.0".
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return "protocol level " + strconv.Itoa(int(v))
}
