// Package broker is an MQTT server for versions 3.1, 3.1.1 and 5.0.
package broker
