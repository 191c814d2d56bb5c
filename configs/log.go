package configs

import (
	"errors"
	"io"
	"log/slog"

	"github.com/edged/edged"
)

// Log says what is logged, and how.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

func (l Log) check() error {
	var errs []error
	if _, ok := levels[l.Level]; !ok {
		errs = append(errs, edged.BadKey("log.level", "%s is not a level; use debug, info, warn or error", quote(l.Level)))
	}
	if l.Format != "text" && l.Format != "json" {
		errs = append(errs, edged.BadKey("log.format", "%s is not a format; use text or json", quote(l.Format)))
	}
	return errors.Join(errs...)
}

// New makes the logger that l describes.
func (l Log) New(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: levels[l.Level]}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
