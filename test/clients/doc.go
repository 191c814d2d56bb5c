// Package clients tests edged with MQTT clients that other people wrote and that speak for themselves to every listener:
// paho.mqtt.golang (3.1, 3.1.1), paho.golang (5) and MQTT.js (3.1, 3.1.1, 5). It is a module of its own, so that none of
// them is one of edged's dependencies. mosquitto's clients and Python's paho stand in test/interop.
//
// It needs node and npm, and npm's registry or a cache filled from it.
package clients
