package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/edged/edged/internal/gateway"
)

func (a *app) runCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run edged: broker, devices and uplinks",
		Long: `Run starts edged and prints the addresses it listens on. Without a configuration it listens on
mqtt://127.0.0.1:1883 and keeps its data in ./edged-data.

SIGHUP reads the configuration again; a file with mistakes changes nothing. SIGTERM and SIGINT stop in order,
a second one at once. The log goes to the standard error stream.`,
		Example: "  edged run\n  edged run -c /etc/edged/edged.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := findFile(file)
			if err != nil {
				return err
			}
			return a.run(path)
		},
	}
	fileFlag(cmd, &file)
	return cmd
}

// run runs edged with the file at path, until a signal or a failure ends it.
func (a *app) run(path string) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)

	cfg, err := load(path)
	if err != nil {
		return explain(err)
	}
	log := cfg.Log.New(a.err)
	if path == "" {
		log.Info("no configuration file; running with the defaults", "hint", "edged init writes a file")
	}
	for _, w := range cfg.Warnings() {
		log.Warn(strings.SplitN(w.Error(), "\n", 2)[0])
	}
	g, err := gateway.New(cfg, gateway.Options{Log: log, Version: thisBuild().Version})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()

	ready := g.Ready()
	for {
		select {
		case err := <-ended:
			return err
		case <-ready:
			ready = nil
			a.greet(g)
			notify(log, "READY=1")
		case s := <-signals:
			if s == syscall.SIGHUP {
				reload(g, path, log)
				continue
			}
			log.Info("stopping; a second signal stops at once", "signal", s)
			notify(log, "STOPPING=1")
			cancel()
			err := stopped(ended, signals)
			if err == nil {
				log.Info("stopped in order; what waits is on disk")
			}
			return err
		}
	}
}

// stopped waits for the end in order, or for a signal of somebody who does not want to.
func stopped(ended <-chan error, signals <-chan os.Signal) error {
	for {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			if s != syscall.SIGHUP {
				return errors.New("stopped at once by a second signal; what was acknowledged is on disk")
			}
		}
	}
}

// greet prints the addresses, one a line.
func (a *app) greet(g *gateway.Gateway) {
	for _, url := range g.URLs() {
		fmt.Fprintf(a.out, "edged listens on %s\n", url)
	}
}

// reload hands the changed file to the running edged. A mistake leaves everything as it is.
func reload(g *gateway.Gateway, path string, log *slog.Logger) {
	if path == "" {
		log.Warn("nothing to reload: edged runs without a configuration file")
		return
	}
	cfg, err := load(path)
	if err != nil {
		log.Error("the configuration was not reloaded, the old one stays in force", "file", path, "error", err)
		return
	}
	changes, err := g.Reload(cfg)
	for _, c := range changes {
		log.Info("reload: " + c)
	}
	if err != nil {
		log.Error("the configuration was not reloaded as a whole", "file", path, "error", err)
		return
	}
	log.Info("configuration reloaded", "file", path, "changes", len(changes))
}
