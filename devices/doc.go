// Package devices runs what talks to field devices, and gives it a place on the bus.
//
// # Who does what
//
//	    driver's side                      this package                         bus
//	┌───────────────────┐  Event   ┌────────────────────────┐  devices/<device>/<point>
//	│ Adapter.Run       ├────────► │ Device: state, quality, ├─► devices/<device>/status (retained)
//	│  (polls, listens) │          │ topics, JSON, restarts  │
//	│ Commander.Command │ ◄────────┤                         │◄─ devices/<device>/<point>/set
//	└───────────────────┘  Result  └────────────────────────┘──► devices/<device>/<point>/set/result
//
// A [Driver] is a kind of device, such as "modbus"; it checks options and makes adapters. An [Adapter] is one device; it
// emits [Event] values and knows no topic. A [Device] is the task around one adapter: it publishes the events, routes
// commands to adapters that are [Commander], and runs the adapter again, after a pause, when it fails or panics. Devices
// share nothing, so a dead one holds up no other.
//
// # What a reader of the topics can rely on
//
//   - The status is published when it changes, and not otherwise: a device that stays dead says so once.
//   - When a device goes offline, each of its points gets one reading with quality bad and no value. A point that stays
//     bad for the same reason is not published again.
//   - A reading that is out of its limits, or that is not a number, is never published as good.
//   - A point with a deadband is published when it has moved, and at least as often as its configuration says ([Report]);
//     others are published with every poll.
//   - Every command is answered on its result topic, also the one that could not be understood. Retained commands left
//     on the broker are not executed at start.
//
// # Caveats
//
// Emitting waits until the readings are kept. While the bus blocks (a full disk), the poll waits, so memory does not
// grow: a reading that was due meanwhile is never taken ([Schedule.Missed] counts the rounds), and the first one after
// it is fresh. When the bus refuses, the readings are counted as refused, the adapter is told, and its next poll brings
// newer ones; an adapter whose events have no successor, such as a counter, emits them again.
package devices
