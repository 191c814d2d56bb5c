package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edged/edged/configs"
)

func (a *app) initCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a configuration to begin with, every key explained",
		Long: `Init writes edged.yaml with the defaults, every key explained, and examples of uplinks and devices
to uncomment. It never overwrites a file without --force.`,
		Example: "  edged init\n  edged init /etc/edged/edged.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "edged.yaml"
			if len(args) == 1 {
				path = args[0]
			}
			if err := writeExample(path, force); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "Wrote %s. 'edged run -c %s' starts with it; 'edged check %s' checks what you change.\n", path, path, path)
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that exists")
	return cmd
}

// writeExample writes the file aside and then gives it its name, so that it is never there by half.
func writeExample(path string, force bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".edged-*.yaml") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(f.Name()); err == nil && gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = gone
		}
	}()
	_, err = f.Write(configs.Example)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if force {
		return os.Rename(f.Name(), path)
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) { // unlike a rename, it never replaces
		return fmt.Errorf("%s exists; --force replaces it", path)
	}
	return err
}
