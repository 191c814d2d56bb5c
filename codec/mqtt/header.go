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

// MaxLength is the largest remaining length the standard can express, 256 MiB - 1. A server has a far lower limit of its own.
const MaxLength = 268_435_455

// ParseHeader reads a fixed header from the beginning of b. n is how many bytes it takes, 2 to 5; n == 0 with a nil
// error: more bytes are needed. It checks the packet type, the reserved flag bits, and that the remaining length takes
// no more bytes than it must. The caller checks Length against its own limit before it buffers anything.
func ParseHeader(b []byte) (h Header, n int, err error) {
	return
}
