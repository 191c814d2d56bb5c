package bridge

import "time"

// State is what an uplink is doing.
type State string

// The states of an uplink.
const (
	// Connecting: an attempt to connect is under way.
	Connecting State = "connecting"
	// Connected: the server has accepted, and messages flow.
	Connected State = "connected"
	// Waiting: the last attempt or connection failed; the next attempt comes after a pause.
	Waiting State = "waiting"
	// Stopped: not running.
	Stopped State = "stopped"
)

// Stats describe an uplink at one moment. The counters count since the process started.
type Stats struct {
	State State     `json:"state"`
	Since time.Time `json:"since"`
	// Address is the server of the current or last attempt.
	Address string `json:"address"`
	// Session is the number of the current or last attempt.
	Session uint64 `json:"session"`
	// Connects counts accepted connections, Failures attempts and connections that failed.
	Connects uint64 `json:"connects"`
	Failures uint64 `json:"failures"`
	// Error is why the last connection or attempt failed; empty while connected.
	Error string `json:"error,omitempty"`
	// ReceiveError is why the server did not grant the subscriptions of Receive.
	ReceiveError string `json:"receive_error,omitempty"`
	// Forwarded counts messages that the server acknowledged, or that went out at QoS 0; Received those from it that the
	// local broker has kept.
	Forwarded uint64 `json:"forwarded"`
	Received  uint64 `json:"received"`
	// Expired counts messages dropped because of max_age or their own expiry.
	Expired uint64 `json:"expired"`
	// SetAside counts messages that no rule could send: no topic, or too long a packet.
	SetAside uint64 `json:"set_aside"`
	// LiveDropped counts QoS 0 messages dropped because the line was slower than they came.
	LiveDropped uint64 `json:"live_dropped"`
	// ReceiveDropped counts messages from the server that no rule maps, or QoS 0 ones that came faster than taken.
	ReceiveDropped uint64 `json:"receive_dropped"`
	// Uncertain counts messages that were sent again after the server had lost the session: they may be doubled.
	Uncertain uint64 `json:"uncertain"`
	// Backlog and BacklogBytes wait in the queue or are under way; Oldest is when the oldest was received.
	Backlog      int       `json:"backlog"`
	BacklogBytes int64     `json:"backlog_bytes"`
	Oldest       time.Time `json:"oldest,omitzero"`
}
