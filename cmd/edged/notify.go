package main

import (
	"errors"
	"log/slog"
	"net"
	"os"
)

// notify tells systemd the service's state, such as READY=1 (sd_notify(3)). Without $NOTIFY_SOCKET nobody wants to know.
func notify(log *slog.Logger, state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"}) // a leading @ is an abstract name
	if err == nil {
		_, err = conn.Write([]byte(state))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		log.Warn("systemd was not told", "state", state, "error", err)
	}
}
