// Package mqtt writes and reads MQTT control packets of the versions 3.1, 3.1.1 and 5.0.
package mqtt
