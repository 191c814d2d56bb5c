package broker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/edged/edged"
)

// Config is the section `broker` of the configuration.
type Config struct {
	// Listeners are the addresses clients connect to; none: in-process clients only.
	Listeners []Listener `yaml:"listeners"`
	// Anonymous says from where clients may connect without a user name that the broker knows.
	Anonymous Policy `yaml:"anonymous"`
	// Limits bound what clients can make the broker hold.
	Limits Limits `yaml:"limits"`
}

// Listener is one address that accepts connections.
type Listener struct {
	// URL is mqtt://host:port (tcp:// means the same); an empty host listens on all addresses, port 0 lets the kernel
	// choose, a missing port is 1883.
	URL string `yaml:"url"`
}

// Policy says which clients may connect without credentials.
type Policy string

// The policies for anonymous clients.
const (
	// Never refuses every client without credentials.
	Never Policy = "never"
	// Loopback lets in those that connect from this machine.
	Loopback Policy = "loopback"
	// Always lets in everybody.
	Always Policy = "always"
)

// Limits bound every resource that a client can make grow. Each must be positive.
type Limits struct {
	// Connections is how many network connections may be open at once; one more is closed as soon as it is accepted.
	Connections int `yaml:"connections"`
	// PacketBytes is the longest control packet a client may send, fixed header included; a longer one ends the
	// connection with 0x95 before any of it is kept. At most 256 MiB.
	PacketBytes edged.Size `yaml:"packet_bytes"`
	// Inflight is how many QoS 1 and 2 messages a subscriber may have unacknowledged, 1 to 10,000; a version 5 client's
	// receive maximum can make it less.
	Inflight int `yaml:"inflight"`
	// QueueMessages and QueueBytes bound what waits for one client. An offline session's oldest messages give way;
	// QoS 0 to a client that does not read is dropped; QoS 1 and 2 to a connected client without a session of its own
	// end the connection with 0x97. All of it is counted.
	QueueMessages int        `yaml:"queue_messages"`
	QueueBytes    edged.Size `yaml:"queue_bytes"`
	// ConnectTimeout is how long a connection may take to send its CONNECT.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// Sessions is how many sessions may exist, connected or not; beyond it CONNECT is refused with 0x97.
	Sessions int `yaml:"sessions"`
	// Subscriptions is how many filters one client may have; beyond it SUBACK answers 0x97.
	Subscriptions int `yaml:"subscriptions"`
	// RetainedMessages and RetainedBytes bound all retained messages together; beyond it a message on a new topic is
	// delivered but not retained.
	RetainedMessages int        `yaml:"retained_messages"`
	RetainedBytes    edged.Size `yaml:"retained_bytes"`
}

// DefaultConfig listens on the loopback address only.
func DefaultConfig() Config {
	return Config{
		Listeners: []Listener{{URL: "mqtt://127.0.0.1:1883"}},
		Anonymous: Loopback,
		Limits: Limits{
			Connections: 1000, PacketBytes: 1 << 20, Inflight: 100, QueueMessages: 100_000, QueueBytes: 64 << 20,
			ConnectTimeout: 5 * time.Second, Sessions: 10_000, Subscriptions: 1000, RetainedMessages: 100_000, RetainedBytes: 64 << 20,
		},
	}
}

// maxPacket is the longest packet MQTT can express: five bytes of fixed header and 268,435,455 more (MQTT 5.0 §2.1.4).
const maxPacket = 5 + 268_435_455

// Check reports everything that is wrong, each as an *edged.KeyError.
func (c Config) Check() error {
	var errs []error
	seen := map[string]int{}
	for i, l := range c.Listeners {
		key := fmt.Sprintf("listeners[%d].url", i)
		addr, err := l.address(key)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if first, twice := seen[addr]; twice && addr[len(addr)-2:] != ":0" {
			errs = append(errs, edged.BadKey(key, "%s is listeners[%d] already; give each listener its own address", l.URL, first))
		}
		seen[addr] = i
	}
	switch c.Anonymous {
	case Never, Loopback, Always:
	default:
		errs = append(errs, edged.BadKey("anonymous", "%q is not a policy; use never, loopback or always", c.Anonymous))
	}
	return errors.Join(append(errs, c.Limits.check()...)...)
}

func (l Limits) check() (errs []error) {
	within := func(key string, v, lowest, highest int64) {
		if v < lowest || v > highest {
			errs = append(errs, edged.BadKey("limits."+key, "%d is out of range; use %d to %d", v, lowest, highest))
		}
	}
	within("connections", int64(l.Connections), 1, 1_000_000)
	within("packet_bytes", int64(l.PacketBytes), 128, maxPacket)
	within("inflight", int64(l.Inflight), 1, 10_000)
	within("queue_messages", int64(l.QueueMessages), 1, 1<<31-1)
	within("queue_bytes", int64(l.QueueBytes), 1, 1<<40)
	within("sessions", int64(l.Sessions), 1, 1<<31-1)
	within("subscriptions", int64(l.Subscriptions), 1, 1_000_000)
	within("retained_messages", int64(l.RetainedMessages), 0, 1<<31-1)
	within("retained_bytes", int64(l.RetainedBytes), 0, 1<<40)
	if l.ConnectTimeout < 100*time.Millisecond || l.ConnectTimeout > 5*time.Minute {
		errs = append(errs, edged.BadKey("limits.connect_timeout", "%v is out of range; use 100ms to 5m", l.ConnectTimeout))
	}
	return errs
}

// address turns the URL into what net.Listen takes.
func (l Listener) address(key string) (string, error) {
	u, err := url.Parse(l.URL)
	if err != nil {
		return "", edged.BadKey(key, "%q is not a URL: %v; write mqtt://127.0.0.1:1883", l.URL, err)
	}
	switch u.Scheme {
	case "mqtt", "tcp":
	case "mqtts", "ssl", "tls", "ws", "wss", "unix":
		return "", edged.BadKey(key, "%s:// listeners are not in this version; use mqtt://host:port", u.Scheme)
	default:
		return "", edged.BadKey(key, "%q is not a scheme of a listener; use mqtt, as in mqtt://127.0.0.1:1883", u.Scheme)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") || u.Opaque != "" {
		return "", edged.BadKey(key, "%q has more than scheme, host and port; write mqtt://127.0.0.1:1883", l.URL)
	}
	port := u.Port()
	if port == "" {
		port = "1883"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", edged.BadKey(key, "%q is not a port; use 0 to 65535", port)
	} else {
		port = strconv.FormatUint(n, 10)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
