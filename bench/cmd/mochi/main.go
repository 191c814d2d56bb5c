// Command mochi runs mochi-mqtt as a process of its own, with its defaults, for comparison.
package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	waiting := flag.Int("waiting", 0, "how many `messages` may wait for one client; 0: the default")
	flag.Parse()
	if err := run(*listen, *waiting); err != nil {
		fmt.Fprintln(os.Stderr, "mochi:", err)
		os.Exit(1)
	}
}

func run(listen string, waiting int) error {
	options := &mqtt.Options{Capabilities: mqtt.NewDefaultServerCapabilities(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if waiting > 0 {
		// The room is allocated for each client at once, so it is raised only where it is needed.
		options.Capabilities.MaximumClientWritesPending = int32(waiting)
		options.Capabilities.MaximumInflight = uint16(min(waiting, 0xffff))
	}
	server := mqtt.New(options)
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		return err
	}
	if err := server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: listen})); err != nil {
		return err
	}
	if err := server.Serve(); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
	return server.Close()
}
