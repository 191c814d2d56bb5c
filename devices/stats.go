package devices

import "time"

// Stats describe a device at one moment. Counters begin at 0 with the process.
type Stats struct {
	Device, Driver string
	State          State
	// Reason says why the device is offline; Since is when the state was entered.
	Reason string
	Since  time.Time
	// Points have been listed or seen.
	Points int
	// Readings were published, of those Bad with quality bad.
	Readings, Bad uint64
	// Repeated bad readings were not published again, nor Silent good ones, which the point's Report holds back.
	Repeated, Silent uint64
	// Refused readings were not taken by the bus.
	Refused uint64
	// Commands were received; Failed of them were answered with an error, and Unanswered ones not at all: too many
	// waited, or the bus refused the answer.
	Commands, Failed, Unanswered uint64
	// Restarts of the adapter after an error or a panic.
	Restarts uint64
	// Adapter holds the adapter's own counters; nil: it has none.
	Adapter map[string]uint64
}
