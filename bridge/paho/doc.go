// Package paho connects a bridge to a server with Eclipse Paho.
package paho
