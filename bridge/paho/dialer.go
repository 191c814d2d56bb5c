// Package paho connects a bridge to a server with Eclipse Paho.
package paho

import (
	"context"
	"errors"
	"log/slog"

	"github.com/edged/edged/bridge"
)

// Dialer makes a dialer that speaks MQTT 3.1.1 through paho.mqtt.golang; log may be nil.
func Dialer(log *slog.Logger) bridge.Dialer {
	return func(ctx context.Context, d bridge.Dial) (bridge.Conn, error) { return nil, errors.New("paho: not yet") }
}
