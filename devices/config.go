package devices

import (
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/edged/edged"
)

// Common are the options of every device. A driver's options embed it with `yaml:",inline"`.
type Common struct {
	// Name is the device's name, a level of its topics: 1 to 128 bytes without / + # and control characters.
	Name string `yaml:"name"`
	// Driver is the name of the driver, such as "modbus".
	Driver string `yaml:"driver"`
	// Every is the interval between polls, 1 ms to 24 h; points may have their own. Default 1 s.
	Every time.Duration `yaml:"every"`
}

// Config is one entry of the configuration's `devices`.
type Config struct {
	Common `yaml:",inline"`
	// Raw is the whole entry, for its driver to decode.
	Raw edged.Raw `yaml:"-"`
}

// The bounds of a polling interval.
const (
	MinEvery = time.Millisecond
	MaxEvery = 24 * time.Hour
)

// DefaultConfig is an entry before its keys are read.
func DefaultConfig() Config {
	return Config{Common: Common{Every: time.Second}}
}

// Check checks what all drivers have in common. The driver's own options are checked by Driver.New.
func (c Config) Check() error {
	var driver error
	if c.Driver == "" {
		driver = edged.BadKey("driver", "missing; name the driver, such as modbus or sim")
	}
	return errors.Join(CheckName("name", c.Name), driver, CheckEvery("every", c.Every))
}

// CheckEvery checks a polling interval; key is where it was configured.
func CheckEvery(key string, every time.Duration) error {
	if every < MinEvery || every > MaxEvery {
		return edged.BadKey(key, "%s is out of range; use %s to %s", every, MinEvery, MaxEvery)
	}
	return nil
}

// maxName is the longest name of a device or point in bytes.
const maxName = 128

// CheckName checks the name of a device, which becomes a level of its topics; key is where it was configured.
func CheckName(key, name string) error {
	switch {
	case name == "":
		return edged.BadKey(key, "missing; it becomes a part of the topic")
	case len(name) > maxName:
		return edged.BadKey(key, "has %d bytes; use at most %d", len(name), maxName)
	case !utf8.ValidString(name):
		return edged.BadKey(key, "%q is not UTF-8", name)
	}
	for _, r := range name {
		if r == '/' || r == '+' || r == '#' || unicode.IsControl(r) {
			return edged.BadKey(key, "%q contains %q, which a topic's level cannot have; use letters, digits, - and _", name, r)
		}
	}
	return nil
}

// CheckPoint checks the name of a point: as CheckName, and "status" is taken by the device's own topic.
func CheckPoint(key, name string) error {
	if name == "status" {
		return edged.BadKey(key, `"status" is the topic of the device's own state; choose another name`)
	}
	return CheckName(key, name)
}
