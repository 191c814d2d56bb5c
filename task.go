package edged

import (
	"context"
	"fmt"
)

// Task is a part of edged that runs until it is told to stop.
type Task interface {
	// Run does the work until ctx is done, cleans up, and returns nil; an error means it could not go on. Every
	// goroutine it started has ended when it returns.
	Run(ctx context.Context) error
	// Ready is closed when the task does its work.
	Ready() <-chan struct{}
	// String names the task in logs: "broker", "uplink cloud", "device boiler".
	fmt.Stringer
}
