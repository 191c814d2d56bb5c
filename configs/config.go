package configs

import (
	"errors"
	"os"
	"strings"

	"github.com/edged/edged"
	"github.com/edged/edged/bridge"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/buffer"
	"github.com/edged/edged/devices"
	"github.com/edged/edged/internal/access"
)

// Config is the whole configuration: what edged itself needs, and the parts' own.
type Config struct {
	// ID names this edge in upstream client ids and topics: 1 to 64 letters, digits, '-', '_' or '.'. Default: host name.
	ID string `yaml:"id"`
	// DataDir is the folder of all that must survive a restart. A relative path begins at the working directory.
	DataDir string           `yaml:"data_dir"`
	Log     Log              `yaml:"log"`
	Broker  Broker           `yaml:"broker"`
	Buffer  buffer.Config    `yaml:"buffer"`
	Uplinks []bridge.Config  `yaml:"uplinks"`
	Devices []devices.Config `yaml:"devices"`

	root     *node           // where everything stands; nil: nothing was read
	files    []string        // what was read, in order
	mistakes []*Error        // what decoding found
	failed   map[string]bool // paths that hold no value because of a mistake
}

// Default is the configuration of an empty file.
func Default() *Config {
	return &Config{
		ID:      hostID(),
		DataDir: "./edged-data",
		Log:     Log{Level: "info", Format: "text"},
		Broker:  Broker{Config: broker.DefaultConfig(), Access: access.DefaultConfig()},
		Buffer:  buffer.DefaultConfig(),
	}
}

// hostID makes an id of the host's name, which may hold anything.
func hostID() string {
	name, err := os.Hostname()
	if err != nil {
		name = "" // the default must exist on every machine
	}
	id := strings.Map(func(r rune) rune {
		if strings.ContainsRune(idLetters, r) {
			return r
		}
		return '-'
	}, name)
	if id == "" {
		return "edged"
	}
	return id[:min(len(id), maxID)]
}

const (
	idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	maxID     = 64
)

// checkOwn checks what belongs to no part.
func (c *Config) checkOwn() error {
	var errs []error
	if c.ID == "" || len(c.ID) > maxID || strings.Trim(c.ID, idLetters) != "" {
		errs = append(errs, edged.BadKey("id", "%s is not an id; use 1 to %d letters, digits, '-', '_' or '.'", quote(c.ID), maxID))
	}
	if c.DataDir == "" {
		errs = append(errs, edged.BadKey("data_dir", "empty; name a folder, such as /var/lib/edged"))
	}
	return errors.Join(append(errs, c.Log.check())...)
}

// Files lists what was read: the file itself, then those of conf.d.
func (c *Config) Files() []string { return c.files }
