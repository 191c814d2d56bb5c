package bridge

import (
	"time"

	"github.com/edged/edged"
)

// Config is one entry of the configuration's `uplinks`.
type Config struct {
	// Name is the uplink's name, a level of its topics: 1 to 64 letters, digits, '-', '_' or '.'.
	Name string `yaml:"name"`
	// URLs are the servers in the order in which they are tried: mqtt://host:port, default port 1883, or
	// mqtts://host:port, default port 8883. tcp, ssl and tls are synonyms.
	URLs []string `yaml:"urls"`
	// SharedSession says that the servers of URLs are nodes of one cluster, which share sessions. Otherwise going from
	// one to the next begins a new session, and what was under way is sent again.
	SharedSession bool `yaml:"shared_session"`
	// Protocol is the version of MQTT: "3.1.1".
	Protocol string `yaml:"protocol"`
	// ClientID names the edge to the server; {id} stands for the edge's id.
	ClientID string `yaml:"client_id"`
	// Username and PasswordFile are the credentials; the file's last newline does not count.
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	TLS          TLS    `yaml:"tls"`
	// KeepAlive is after how much silence the server is asked whether it is there, 5 s to 18 h.
	KeepAlive time.Duration `yaml:"keep_alive"`
	// ConnectTimeout bounds one attempt to connect, up to the server's CONNACK; 1 s to 5 min.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// AckTimeout is how long messages may be under way without any progress, neither a byte taken by the network nor
	// an acknowledgement, before the connection is taken for dead; 1 s to 1 h.
	AckTimeout time.Duration `yaml:"ack_timeout"`
	// Inflight is how many QoS 1 and 2 messages may be unacknowledged, 1 to 1,000.
	Inflight int `yaml:"inflight"`
	// PacketBytes is the longest packet that is sent or taken, fixed header included; 1 KiB to 256 MiB. A longer message
	// is set aside and reported as lost; a server that sends a longer packet is disconnected.
	PacketBytes edged.Size `yaml:"packet_bytes"`
	// Forward says what goes up, Receive what comes down. The first rule that matches a message decides.
	Forward []Forward `yaml:"forward"`
	Receive []Receive `yaml:"receive"`
	Buffer  Buffer    `yaml:"buffer"`
	Drain   Drain     `yaml:"drain"`
	// Liveness is the record under which the server knows whether this edge is there.
	Liveness Liveness `yaml:"liveness"`
}

// Forward is a rule for messages from the local broker to the uplink's server.
type Forward struct {
	// From is a topic filter on the local broker.
	From string `yaml:"from"`
	// To is the topic on the server: a template in which {topic} stands for the local topic, {topic:N} for the local
	// topic without its first N levels, and {id} for the edge's id.
	To string `yaml:"to"`
	// QoS is the highest level at which messages are sent, 0 to 2; the publisher's own level if that is lower. What
	// travels at level 0 is sent while the line is up, and is not kept while it is down.
	QoS edged.QoS `yaml:"qos"`
	// MaxAge is how old a message may be when it is sent; an older one is dropped and counted. 0: any age.
	MaxAge time.Duration `yaml:"max_age"`
}

// SetDefaults makes the rule what it is without any keys.
func (f *Forward) SetDefaults() { *f = Forward{To: "{topic}", QoS: edged.AtLeastOnce} }

// Receive is a rule for messages from the uplink's server to the local broker. What no rule maps stays outside.
type Receive struct {
	// From is a topic filter on the server; {id} stands for the edge's id.
	From string `yaml:"from"`
	// To is the local topic, a template as in Forward.
	To string `yaml:"to"`
	// QoS is the highest level at which messages are taken, 0 or 1.
	QoS edged.QoS `yaml:"qos"`
}

// SetDefaults makes the rule what it is without any keys.
func (r *Receive) SetDefaults() { *r = Receive{To: "{topic}", QoS: edged.AtLeastOnce} }

// Buffer bounds the queue that keeps messages while the line is down.
type Buffer struct {
	MaxBytes edged.Size       `yaml:"max_bytes"`
	WhenFull edged.FullPolicy `yaml:"when_full"`
}

// Drain says how a backlog is sent.
type Drain struct {
	// Order is "in-order": oldest first.
	Order string `yaml:"order"`
	// MaxRate is the highest number of messages a second; 0: as fast as the server takes them.
	MaxRate int `yaml:"max_rate"`
}

// Liveness is the retained record, QoS 1, that says whether the edge is there.
type Liveness struct {
	// Topic is the record's topic on the server; {id} stands for the edge's id. Empty: no record.
	Topic string `yaml:"topic"`
	// Every is the interval at which the record is renewed while connected, 1 s to 24 h; 0: only at connect.
	Every time.Duration `yaml:"every"`
}

// DefaultConfig is an entry before its keys are read.
func DefaultConfig() Config {
	return Config{
		Protocol:       "3.1.1",
		ClientID:       "{id}",
		KeepAlive:      30 * time.Second,
		ConnectTimeout: 15 * time.Second,
		AckTimeout:     30 * time.Second,
		Inflight:       256,
		PacketBytes:    1 << 20,
		Buffer:         Buffer{MaxBytes: 256 << 20, WhenFull: edged.DropOldest},
		Drain:          Drain{Order: "in-order"},
		Liveness:       Liveness{Topic: "edged/{id}/status", Every: time.Minute},
	}
}

// Subscriptions are what the local broker is to route into the uplink's queue. They leave out what the uplink itself
// published, so that nothing that came from the server goes back to it.
func (c Config) Subscriptions() []edged.Subscription {
	var subs []edged.Subscription
	for i, f := range c.Forward {
		if f.QoS == edged.AtMostOnce {
			continue // sent live, never kept
		}
		subs = append(subs, edged.Subscription{
			Filter: f.From, QoS: f.QoS, NoLocal: true, RetainAsPublished: true, RetainHandling: 1, Identifier: uint32(i) + 1,
		})
	}
	return subs
}
