// Package peer starts the brokers that are compared, each as its own process on its own processor core, and reads what they
// use from the kernel.
//
// Every broker gets an empty data directory and a port on the loopback address. Its settings raise bounds where a scenario
// needs that, and are otherwise the broker's defaults; README.md states them.
package peer
