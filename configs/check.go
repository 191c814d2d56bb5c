package configs

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// Check reports everything that is wrong as Errors: what decoding found, what each part says to its section, and what
// each device's driver says to its options. It opens no file, no port and no connection.
func (c *Config) Check(drivers []devices.Driver) error {
	ch := checker{c: c, errs: slices.Clone(c.mistakes)}
	ch.section("", c.checkOwn())
	ch.section("broker", c.Broker.Check())
	ch.section("buffer", c.Buffer.Check())
	names := make([]string, len(c.Uplinks))
	for i, u := range c.Uplinks {
		names[i] = u.Name
		ch.section(fmt.Sprintf("uplinks[%d]", i), u.Check())
	}
	ch.twice("uplinks", names)
	names = make([]string, len(c.Devices))
	for i, d := range c.Devices {
		names[i] = d.Name
		path := fmt.Sprintf("devices[%d]", i)
		ch.section(path, d.Check())
		ch.section(path, checkDriver(d, drivers))
	}
	ch.twice("devices", names)
	return join(ch.errs, c.files)
}

// checkDriver has the device's driver check its options, and throws away what it makes of them.
func checkDriver(d devices.Config, drivers []devices.Driver) error {
	if d.Driver == "" {
		return nil // d.Check says so
	}
	var names []string
	for _, driver := range drivers {
		if driver.Name() != d.Driver {
			names = append(names, driver.Name())
			continue
		}
		if d.Raw == nil {
			return edged.BadKey("", "has no options for the driver %s", quote(d.Driver))
		}
		_, err := driver.New(devices.Env{Device: d.Name, Log: slog.New(slog.DiscardHandler)}, d.Raw)
		return err
	}
	hint := suggest(d.Driver, names)
	if !strings.Contains(hint, "did you mean") {
		hint = "; this one has " + strings.Join(names, ", ")
	}
	return edged.BadKey("driver", "edged has no driver %s%s", quote(d.Driver), hint)
}

// checker gives the parts' errors their places.
type checker struct {
	c    *Config
	errs []*Error
}

// section takes the error of the section at path apart.
func (ch *checker) section(path string, err error) {
	if err == nil {
		return
	}
	if es, ok := err.(Errors); ok { //nolint:errorlint // the tree is walked here
		ch.errs = append(ch.errs, es...)
		return
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // as above
		ch.errs = append(ch.errs, e)
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			ch.section(path, e)
		}
		return
	}
	var key *edged.KeyError
	var es Errors
	switch {
	case errors.As(err, &es): // wrapped: the places count more than the words around them
		ch.errs = append(ch.errs, es...)
	case errors.As(err, &key):
		ch.add(below(path, key.Key), key.Problem)
	default:
		ch.add(path, err.Error())
	}
}

// add puts a problem at the place of path. Where decoding already failed, the value is not what the file says.
func (ch *checker) add(path, problem string) {
	path = strings.TrimSuffix(path, ".")
	for failed := range ch.c.failed {
		if rest, within := strings.CutPrefix(path, failed); within && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return
		}
	}
	ch.errs = append(ch.errs, ch.c.errorAt(path, problem))
}

// errorAt makes an Error at the place of a path or its nearest parent.
func (c *Config) errorAt(path, problem string) *Error {
	n := c.root.find(path)
	if n == nil && len(c.files) > 0 {
		return &Error{File: c.files[0], Line: 1, Column: 1, Key: path, Problem: problem}
	}
	return n.errorf(path, "%s", n.conceal(problem))
}

// twice reports names that are given more than once, with both places.
func (ch *checker) twice(section string, names []string) {
	first := make(map[string]int, len(names))
	for i, name := range names {
		path := fmt.Sprintf("%s[%d].name", section, i)
		at, seen := first[name]
		if !seen || name == "" {
			first[name] = i
			continue
		}
		place := fmt.Sprintf("%s[%d]", section, at)
		if n := ch.c.root.find(place + ".name"); n != nil {
			place = n.place()
		}
		ch.add(path, fmt.Sprintf("the name %s is given twice; it stands already at %s", quote(name), place))
	}
}
