package broker

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edged/edged"
)

// Config is the section `broker` of the configuration.
type Config struct {
	// Listeners are the addresses clients connect to; none: in-process clients only.
	Listeners []Listener `yaml:"listeners"`
	// Anonymous says from where clients may connect without a user name that the broker knows.
	Anonymous Policy `yaml:"anonymous"`
	// Limits bound what clients can make the broker hold.
	Limits Limits `yaml:"limits"`
	// ServerReference is told to version 5 clients, with 0x9C, when broker.limits.connections is reached or the broker stops: where
	// they may go instead, such as "b.example.com:8883" (MQTT 5.0 §4.11). Empty: nowhere.
	ServerReference string `yaml:"server_reference"`
	// ResponseInformation is what version 5 clients get who ask for it: the topic that their response topics begin with, with
	// {client_id} for the client identifier (MQTT 5.0 §4.10.1). Empty: nothing.
	ResponseInformation string `yaml:"response_information"`
	// SysInterval is how often the figures under $SYS are published, 0 to 1h; 0: never.
	SysInterval time.Duration `yaml:"sys_interval"`
}

// Policy says which clients may connect without credentials.
type Policy string

// The policies for anonymous clients.
const (
	// Never refuses every client without credentials.
	Never Policy = "never"
	// Loopback lets in those that connect from this machine.
	Loopback Policy = "loopback"
	// Always lets in everybody.
	Always Policy = "always"
)

// DefaultConfig listens on the loopback address only.
func DefaultConfig() Config {
	return Config{
		Listeners:   []Listener{{URL: "mqtt://127.0.0.1:1883"}},
		Anonymous:   Loopback,
		Limits:      DefaultLimits(),
		SysInterval: 10 * time.Second,
	}
}

// Check reports everything that is wrong, each as an *edged.KeyError.
func (c Config) Check() error {
	var errs []error
	seen := map[string]int{}
	for i, l := range c.Listeners {
		key := fmt.Sprintf("listeners[%d]", i)
		e, err := l.endpoint(key + ".url")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, l.check(key, e)...)
		if first, twice := seen[e.address]; twice && !strings.HasSuffix(e.address, ":0") {
			errs = append(errs, edged.BadKey(key+".url", "%s is listeners[%d] already; give each listener its own address", l.URL, first))
		}
		seen[e.address] = i
	}
	switch c.Anonymous {
	case Never, Loopback, Always:
	default:
		errs = append(errs, edged.BadKey("anonymous", "%q is not a policy; use never, loopback or always", c.Anonymous))
	}
	if c.SysInterval != 0 && (c.SysInterval < time.Second || c.SysInterval > time.Hour) {
		errs = append(errs, edged.BadKey("sys_interval", "%v is out of range; use 1s to 1h, or 0 for no figures under $SYS", c.SysInterval))
	}
	for _, k := range []struct{ key, text string }{{"server_reference", c.ServerReference}, {"response_information", c.ResponseInformation}} {
		if len(k.text) > 1024 || !utf8.ValidString(k.text) || strings.ContainsRune(k.text, 0) {
			errs = append(errs, edged.BadKey(k.key, "not UTF-8 without zeros, 1,024 bytes at most"))
		}
	}
	return errors.Join(append(errs, c.Limits.check()...)...)
}
