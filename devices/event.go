package devices

import "time"

// Event is a reading of a point, or, when Point is empty, a change of the device's state.
type Event struct {
	Point string
	// Value is nil, a bool, an integer, a float32 or float64, or a string. A float32 is written with its own digits:
	// 230.1, not 230.10000610351562.
	Value any
	// Unit is the unit of measurement, as it is to be shown: "V", "°C"; empty: none.
	Unit string
	// Time is when the value was taken; zero: now.
	Time time.Time
	// Quality of a reading; empty means Good.
	Quality Quality
	// State is the device's new state, when Point is empty.
	State State
	// Reason says why the quality is not good, or why the device is offline.
	Reason string
}

// Quality says how far a reading can be trusted.
type Quality string

// The three qualities, as in OPC.
const (
	Good Quality = "good"
	// Uncertain: the value was read, but is outside what was configured as plausible.
	Uncertain Quality = "uncertain"
	// Bad: there is no value.
	Bad Quality = "bad"
)

// State is a device's state.
type State string

// The states of a device.
const (
	// Unknown: nothing was heard of the device yet. It is not published.
	Unknown State = ""
	// StateOnline: the device answers.
	StateOnline State = "online"
	// StateOffline: it does not.
	StateOffline State = "offline"
)

// Online says that the device answers. A good or uncertain reading says so, too.
func Online() Event { return Event{State: StateOnline} }

// Offline says that the device does not answer, and why. It may be emitted again and again; it is published once.
func Offline(reason string) Event { return Event{State: StateOffline, Reason: reason} }
