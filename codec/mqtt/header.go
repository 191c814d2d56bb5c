package mqtt

// Header is the fixed header that begins every packet (MQTT 5.0 §2.1).
type Header struct {
	// Type is the control packet type.
	Type Type
	// Flags are the low four bits of the first byte.
	Flags byte
	// Length is the remaining length: how many bytes follow the header, 0 to MaxLength.
	Length int
}

// MaxLength is the largest remaining length that can be expressed, 256 MiB - 1 (MQTT 5.0 §2.1.4). Set yourself a far
// lower limit.
const MaxLength = 268_435_455

// The flags of PUBLISH.
const (
	flagRetain = 1
	flagDup    = 8
)

// ParseHeader reads a fixed header from the beginning of b. n is how many bytes it takes, 2 to 5; n == 0 with a nil
// error: more bytes are needed. It checks the packet type, the flag bits (as soon as the first byte is there), and that
// the remaining length takes no more bytes than it must. The caller checks Length against a limit of its own before it
// buffers anything.
func ParseHeader(b []byte) (h Header, n int, err error) {
	if len(b) == 0 {
		return Header{}, 0, nil
	}
	h.Type, h.Flags = Type(b[0]>>4), b[0]&0xF
	// The version is not known here, so the most lenient one is assumed; Parse knows it.
	if e := checkFlags(h.Type, h.Flags, V31); e != nil {
		return Header{}, 0, e
	}
	length, n, e := parseVarint(b[1:])
	switch {
	case e != nil:
		e.Problem = h.Type.String() + ": the remaining length " + e.Problem
		return Header{}, 0, e
	case n == 0:
		return Header{}, 0, nil
	}
	h.Length = int(length)
	return h, 1 + n, nil
}

// flagStatements are the statements about the flags of the packets that have one of their own.
var flagStatements = [16]string{
	PUBREL: "MQTT-3.6.1-1", SUBSCRIBE: "MQTT-3.8.1-1", UNSUBSCRIBE: "MQTT-3.10.1-1",
	DISCONNECT: "MQTT-3.14.1-1", AUTH: "MQTT-3.15.1-1",
}

// checkFlags checks the low four bits of the first byte (MQTT 5.0 §2.1.3).
func checkFlags(t Type, flags byte, v Version) *Error {
	want := byte(0)
	switch t {
	case 0:
		return refuse(MalformedPacket, "", "packet type 0 is reserved")
	case PUBLISH:
		if qos := flags >> 1 & 3; qos == 3 {
			return refuse(MalformedPacket, "MQTT-3.3.1-4", "PUBLISH: QoS 3 does not exist; it is 0, 1 or 2")
		} else if qos == 0 && flags&flagDup != 0 {
			return refuse(MalformedPacket, "MQTT-3.3.1-2", "PUBLISH: the DUP flag is set with QoS 0, which is never sent again")
		}
		return nil
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		want = 2
		if v == V31 { // these could be sent again then, and said so (MQTT 3.1 §2.1)
			flags &^= flagDup
		}
	}
	if flags != want {
		statement := flagStatements[t&0xF]
		if statement == "" {
			statement = "MQTT-2.1.3-1"
		}
		return refuse(MalformedPacket, statement, "%s: the flags in its first byte are %04b; they must be %04b", t, flags, want)
	}
	return nil
}
