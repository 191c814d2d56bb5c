package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edged/edged/configs"
	"github.com/edged/edged/devices"
	"github.com/edged/edged/internal/gateway"
)

func drivers() []devices.Driver { return gateway.Drivers() }

func (a *app) checkCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration and show every mistake with its place",
		Long: `Check reads the configuration as run does, opens no port and no connection, and shows every mistake
with file, line and column, what was found and what is expected. It warns of what is allowed but risky.`,
		Example: "  edged check\n  edged check -c /etc/edged/edged.yaml --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				file = args[0]
			}
			path, err := findFile(file)
			if err != nil {
				return err
			}
			if path == "" && !asJSON {
				fmt.Fprintln(a.out, "There is no configuration file: edged runs with its defaults. 'edged init' writes them to a file.")
				return nil
			}
			cfg, err := load(path)
			if asJSON {
				return a.checkJSON(path, cfg, err)
			}
			if err != nil {
				return explain(err)
			}
			for _, w := range cfg.Warnings() {
				fmt.Fprintf(a.out, "warning: %v\n", w)
			}
			fmt.Fprintf(a.out, "%s is valid (listeners: %d, uplinks: %d, devices: %d).\n", path, len(cfg.Broker.Listeners), len(cfg.Uplinks), len(cfg.Devices))
			return nil
		},
	}
	fileFlag(cmd, &file)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// explain puts a first line above the mistakes of a file.
func explain(err error) error {
	var es configs.Errors
	if !errors.As(err, &es) {
		return err
	}
	what := "1 mistake"
	if len(es) > 1 {
		what = fmt.Sprintf("%d mistakes", len(es))
	}
	return fmt.Errorf("%s in the configuration\n%w", what, es)
}

// finding is a mistake or a warning in JSON.
type finding struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Key     string `json:"key,omitempty"`
	Problem string `json:"problem"`
}

func findings(es []*configs.Error) []finding {
	out := make([]finding, len(es))
	for i, e := range es {
		out[i] = finding{e.File, e.Line, e.Column, e.Key, e.Problem}
	}
	return out
}

// checkJSON prints {"file","valid","errors","warnings"}; the exit code is that of the text.
func (a *app) checkJSON(path string, cfg *configs.Config, err error) error {
	result := struct {
		File     string    `json:"file"`
		Valid    bool      `json:"valid"`
		Errors   []finding `json:"errors"`
		Warnings []finding `json:"warnings"`
	}{File: path, Valid: err == nil, Errors: []finding{}, Warnings: []finding{}}
	var es configs.Errors
	switch {
	case errors.As(err, &es):
		result.Errors = findings(es)
	case err != nil:
		result.Errors = []finding{{File: path, Problem: err.Error()}}
	default:
		result.Warnings = findings(cfg.Warnings())
	}
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if encErr := enc.Encode(result); encErr != nil {
		return encErr
	}
	if err != nil {
		return &codedError{exitConfig, fmt.Errorf("the configuration has mistakes: %d", len(result.Errors))}
	}
	return nil
}
