// Package modbus polls and writes Modbus devices over TCP (Modbus application protocol V1.1b3, Modbus messaging on TCP/IP
// V1.0b).
//
//	devices:
//	  - name: boiler
//	    driver: modbus
//	    url: tcp://10.0.0.5:502
//	    unit: 1
//	    every: 1s
//	    points:
//	      - {name: voltage, register: holding, address: 0, type: float32, order: ABCD, unit: V}
//	      - {name: setpoint, register: holding, address: 10, type: int16, scale: 0.1, writable: true}
//	      - {name: energy, address: 30073, type: uint32, order: CDAB, scale: 0.01, unit: kWh, every: 1m}
//	      - {name: power, address: 30081, type: int32, unit: W, deadband: 10, at_least_every: 5m}
//	      - {name: alarm, register: holding, address: 0x20, type: bit, bit: 3}
//	      - {name: mode, register: holding, address: 33, enum: {0: off, 1: heat, 2: cool}, writable: true}
//
// # Addresses
//
// With `register` an address is the number in the request, counted from address_base: `register: holding, address: 107`.
// Without, it is a reference of five or six digits, whose first one tells the kind: 0 coil, 1 discrete input, 3 input
// register, 4 holding register; 40108 and 400108 are the holding register 107. A reference that begins with 0 must be
// quoted in YAML.
//
// # Byte orders
//
// A register holds two bytes, the high one first on the wire. For values of several registers, orders are written as the
// places of the bytes A (highest), B, C, …: ABCD big endian, BADC bytes swapped in each register, CDAB registers swapped,
// DCBA little endian. They serve all lengths: CDAB for 64 bits is GHEFCDAB. A string's registers are never swapped, only
// its bytes; raw is never touched.
//
// # Caveats
//
// A device is offline after three requests without a reply (a second each), or one refused connection. A point that fails
// alone is bad by itself. An address that the device does not know (exception 2) is remembered as a hole, and asked for
// again every ten minutes. Points that are read in one request share its time.
//
// A write without a reply is not repeated, because it may have been executed; the answer says so. Writing a bit of a
// register, or one of its halves, reads the register, changes it and writes it back: another master that writes at the
// same moment is overwritten.
package modbus
