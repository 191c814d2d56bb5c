// Package gateway is the one place that wires edged: it makes the store, the broker, the uplinks and the devices from one configuration,
// starts them in order, stops them in reverse, and applies a changed configuration to the running whole.
//
// Consumers start before their producers: store, broker, uplinks, devices. Producers stop before their consumers: devices, uplinks (each says
// upstream that it was planned), broker, store.
package gateway
