// Package sim simulates a device, for demonstrations, for load and for tests.
//
//	devices:
//	  - name: plant
//	    driver: sim
//	    every: 100ms
//	    seed: 7
//	    fail: {after: 1m, for: 10s}
//	    points:
//	      - {name: count, generator: counter}
//	      - {name: temperature, generator: sine, min: 18, max: 24, period: 1m, unit: "°C", every: 1s}
//	      - {name: level, generator: ramp, min: 0, max: 100, period: 30s, unit: "%"}
//	      - {name: pressure, generator: walk, min: 1, max: 5, step: 0.1, unit: bar}
//	      - {name: setpoint, generator: constant, value: 21.5, writable: true}
//
// Values depend on the seed and on the number of the round, not on the clock: the n-th value of a point is the same in
// every process. No value is skipped: while the bus refuses a round it is emitted again, and while it blocks, or while
// the device is simulated to fail, none is made. So the readings of a counter are gap-free integers, and a reader can
// prove by them that nothing was lost.
package sim
