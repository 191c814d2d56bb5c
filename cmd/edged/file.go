package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/edged/edged/configs"
)

// fileFlag adds -c to a command that reads the configuration.
func fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "", "configuration `file` (default $EDGED_CONFIG, ./edged.yaml or /etc/edged/edged.yaml)")
}

// findFile returns the file to read: the one named by -c or $EDGED_CONFIG, or the first that exists at the usual
// places. Empty: there is none, and edged runs with its defaults.
func findFile(named string) (string, error) {
	if named == "" {
		named = os.Getenv("EDGED_CONFIG")
	}
	if named != "" {
		return named, nil
	}
	for _, path := range []string{"edged.yaml", "/etc/edged/edged.yaml"} {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", &codedError{exitConfig, err} // running without a file that is there would be a surprise
		}
	}
	return "", nil
}

// load reads and checks a configuration; path empty: the defaults.
func load(path string) (*configs.Config, error) {
	if path == "" {
		return configs.Default(), nil
	}
	cfg, err := configs.Load(path)
	if cfg != nil {
		return cfg, cfg.Check(drivers()) // has Load's mistakes, too
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; 'edged init' writes a file to begin with", err)
	}
	return nil, &codedError{exitConfig, err}
}
