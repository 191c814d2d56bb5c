package broker

import (
	"time"

	"github.com/edged/edged"
)

// Limits bound every resource that a client can make grow. What happens at each is in docs/limits.md.
type Limits struct {
	// Connections is how many network connections may be open at once; one more is closed as soon as it is accepted.
	Connections int `yaml:"connections"`
	// ConnectionsPerAddress is how many of them may come from one address: one of IPv4, or a network of 64 bits of IPv6.
	ConnectionsPerAddress int `yaml:"connections_per_address"`
	// Connecting is how many of them may not have finished their CONNECT.
	Connecting int `yaml:"connecting"`
	// ConnectTimeout is how long a connection may take to send its CONNECT.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// ConnectBytes is the longest CONNECT: what somebody can make the broker hold before it is known who that is.
	ConnectBytes edged.Size `yaml:"connect_bytes"`
	// PacketBytes is the longest control packet a client may send, fixed header included; a longer one ends the
	// connection with 0x95 before any of it is kept. At most 256 MiB.
	PacketBytes edged.Size `yaml:"packet_bytes"`
	// PublishMessages and PublishBytes are how much one client may publish in a second; 0: no bound. A faster one is read
	// more slowly: TCP holds it back, and nothing is lost. Bytes are those of its PUBLISH packets.
	PublishMessages int        `yaml:"publish_messages"`
	PublishBytes    edged.Size `yaml:"publish_bytes"`
	// Inflight is how many QoS 1 and 2 messages a subscriber may have unacknowledged, 1 to 10,000; a version 5 client's
	// receive maximum can make it less.
	Inflight int `yaml:"inflight"`
	// QueueMessages and QueueBytes bound what waits for one client. An offline session's oldest messages give way;
	// QoS 0 to a client that does not read is dropped; QoS 1 and 2 to a connected client without a session of its own
	// end the connection with 0x97. All of it is counted.
	QueueMessages int        `yaml:"queue_messages"`
	QueueBytes    edged.Size `yaml:"queue_bytes"`
	// MemoryBytes bounds what waits in memory for and from all connected clients together. Beyond it, those for whom 64 KiB
	// or more waits are treated as if their QueueBytes were reached, and those of whose messages as much waits for the disk are
	// read no further.
	MemoryBytes edged.Size `yaml:"memory_bytes"`
	// KeepAlive is the longest keep alive interval of a version 5 client, in whole seconds; one that asks for more, or for none, is
	// told to use this. 0: as clients like.
	KeepAlive time.Duration `yaml:"keep_alive"`
	// Sessions is how many sessions may exist, connected or not; beyond it CONNECT is refused with 0x97.
	Sessions int `yaml:"sessions"`
	// Subscriptions is how many filters one client may have; beyond it SUBACK answers 0x97.
	Subscriptions int `yaml:"subscriptions"`
	// TopicLevels is how many levels a filter and a retained message's topic may have; each costs a node of a tree.
	TopicLevels int `yaml:"topic_levels"`
	// RetainedMessages and RetainedBytes bound all retained messages together; beyond it a message on a new topic is
	// delivered but not retained.
	RetainedMessages int        `yaml:"retained_messages"`
	RetainedBytes    edged.Size `yaml:"retained_bytes"`
}

// DefaultLimits are for a small gateway.
func DefaultLimits() Limits {
	return Limits{
		Connections: 1000, ConnectionsPerAddress: 500, Connecting: 250, ConnectTimeout: 5 * time.Second, ConnectBytes: 128 << 10,
		PacketBytes: 1 << 20, Inflight: 100, QueueMessages: 100_000, QueueBytes: 64 << 20, MemoryBytes: 256 << 20,
		Sessions: 10_000, Subscriptions: 1000, TopicLevels: 128, RetainedMessages: 100_000, RetainedBytes: 64 << 20,
	}
}

// maxPacket is the longest packet MQTT can express: five bytes of fixed header and 268,435,455 more (MQTT 5.0 §2.1.4).
const maxPacket = 5 + 268_435_455

func (l Limits) check() (errs []error) {
	within := func(key string, v, lowest, highest int64) {
		if v < lowest || v > highest {
			errs = append(errs, edged.BadKey("limits."+key, "%d is out of range; use %d to %d", v, lowest, highest))
		}
	}
	within("connections", int64(l.Connections), 1, 1_000_000)
	within("connections_per_address", int64(l.ConnectionsPerAddress), 1, 1_000_000)
	within("connecting", int64(l.Connecting), 1, 1_000_000)
	within("connect_bytes", int64(l.ConnectBytes), 128, maxPacket)
	within("packet_bytes", int64(l.PacketBytes), 128, maxPacket)
	within("publish_messages", int64(l.PublishMessages), 0, 1_000_000_000)
	within("publish_bytes", int64(l.PublishBytes), 0, 1<<40)
	within("inflight", int64(l.Inflight), 1, 10_000)
	within("queue_messages", int64(l.QueueMessages), 1, 1<<31-1)
	within("queue_bytes", int64(l.QueueBytes), 1, 1<<40)
	within("memory_bytes", int64(l.MemoryBytes), 1<<20, 1<<40)
	within("sessions", int64(l.Sessions), 1, 1<<31-1)
	within("subscriptions", int64(l.Subscriptions), 1, 1_000_000)
	within("topic_levels", int64(l.TopicLevels), 1, 1024)
	within("retained_messages", int64(l.RetainedMessages), 0, 1<<31-1)
	within("retained_bytes", int64(l.RetainedBytes), 0, 1<<40)
	if k := l.KeepAlive; k != k.Truncate(time.Second) || k < 0 || k > 65535*time.Second {
		errs = append(errs, edged.BadKey("limits.keep_alive", "%v is out of range; use 0, or 1s to 18h12m15s in whole seconds", k))
	}
	if l.ConnectTimeout < 100*time.Millisecond || l.ConnectTimeout > 5*time.Minute {
		errs = append(errs, edged.BadKey("limits.connect_timeout", "%v is out of range; use 100ms to 5m", l.ConnectTimeout))
	}
	return errs
}
