package devices

import (
	"context"
	"log/slog"

	"github.com/edged/edged"
)

// Driver is a kind of device.
type Driver interface {
	// Name is what `driver` says in the configuration: "modbus".
	Name() string
	// New decodes and checks the options, and touches no hardware. Its error joins edged.BadKey errors, the keys
	// relative to the device's entry: "points[2].type".
	New(env Env, raw edged.Raw) (Adapter, error)
}

// Env is what an adapter gets from its surroundings.
type Env struct {
	// Device is the device's name.
	Device string
	// Log already says which device speaks.
	Log *slog.Logger
}

// Adapter is one device.
type Adapter interface {
	// Run talks to the device until ctx is done, and then returns nil promptly; every goroutine it started has ended.
	// An error means that it could not go on: Run is called again after a pause, and begins anew. A device that does
	// not answer is no such error: Run emits Offline, keeps trying, and says Online or emits readings when it is back.
	//
	// emit may block; nil means that the events are kept. After an error the adapter goes on: it may emit the same
	// events again or leave them.
	Run(ctx context.Context, emit func(...Event) error) error
}

// Commander is an adapter whose points can be written.
type Commander interface {
	// Command executes c and returns the value read back. It may be called at any time, also before and after Run and
	// beside it, one command at a time. Its error is the answer that the sender gets.
	Command(ctx context.Context, c Command) (Result, error)
}

// Lister is an adapter that knows its points beforehand: those get a bad reading also when the device was never there.
type Lister interface {
	Points() []Point
}

// Counter is an adapter with counters of its own, such as requests and timeouts. They appear in Stats.
type Counter interface {
	Counters() map[string]uint64
}

// Point describes a point.
type Point struct {
	Name     string
	Unit     string
	Writable bool
	// Report says which of its readings are published.
	Report Report
}

// Command asks to write a point.
type Command struct {
	Point string
	// Value is a bool, int64, uint64, float64 or string.
	Value any
	// From is the principal that sent it.
	From string
}

// Result is a command's outcome.
type Result struct {
	// Value is what the device says after the write.
	Value any
}
