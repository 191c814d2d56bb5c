package sim

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// Options are a simulated device's entry in `devices`.
type Options struct {
	devices.Common `yaml:",inline"`
	// Seed makes the random walks; devices of one seed have the same ones.
	Seed uint64 `yaml:"seed"`
	// Fail makes the device go offline now and then.
	Fail Fail `yaml:"fail"`
	// Points are what it measures, at least one.
	Points []Point `yaml:"points"`
}

// Fail says when the device does not answer: it runs for After, is offline for For, runs again, and so on.
type Fail struct {
	// After is how long it runs; 0: it never fails.
	After time.Duration `yaml:"after"`
	// For is how long it is offline.
	For time.Duration `yaml:"for"`
}

// Point is one value of the device.
type Point struct {
	Name string `yaml:"name"`
	// Generator is counter, sine, ramp, walk or constant.
	Generator string `yaml:"generator"`
	Unit      string `yaml:"unit"`
	// Every is the point's own interval; 0: the device's.
	Every time.Duration `yaml:"every"`
	// Min and Max bound sine, ramp and walk; both 0: 0 to 100.
	Min float64 `yaml:"min"`
	Max float64 `yaml:"max"`
	// Period is that of sine and ramp; default 1 min.
	Period time.Duration `yaml:"period"`
	// Start is a counter's first value.
	Start int64 `yaml:"start"`
	// Step is a walk's longest step; default 1.
	Step float64 `yaml:"step"`
	// Value is a constant's value: a number, true, false or a string.
	Value any `yaml:"value"`
	// Writable: a command changes a constant.
	Writable bool `yaml:"writable"`
	// Report holds back readings that tell nothing new.
	devices.Report `yaml:",inline"`
}

// DefaultOptions are the options before their keys are read.
func DefaultOptions() Options {
	return Options{Common: devices.DefaultConfig().Common, Seed: 1}
}

// Check checks what the driver owns, and fills in the points' defaults.
func (o *Options) Check() error {
	var errs []error
	if len(o.Points) == 0 {
		errs = append(errs, edged.BadKey("points", "missing; a simulated device has at least one point"))
	}
	if (o.Fail.After != 0 || o.Fail.For != 0) && (o.Fail.After <= 0 || o.Fail.For <= 0) {
		errs = append(errs, edged.BadKey("fail", "after is %s and for is %s; use two positive durations", o.Fail.After, o.Fail.For))
	}
	seen := map[string]int{}
	for i := range o.Points {
		p, key := &o.Points[i], fmt.Sprintf("points[%d].", i)
		if p.Every == 0 {
			p.Every = o.Every // which was checked as the device's
		} else {
			errs = append(errs, devices.CheckEvery(key+"every", p.Every))
		}
		errs = append(errs, devices.CheckPoint(key+"name", p.Name), p.Report.Check(key), p.check(key))
		if first, twice := seen[p.Name]; twice {
			errs = append(errs, edged.BadKey(key+"name", "%q is the name of points[%d], too", p.Name, first))
		}
		seen[p.Name] = i
	}
	return errors.Join(errs...)
}

// check checks what depends on the generator.
func (p *Point) check(key string) error {
	if p.Min == 0 && p.Max == 0 {
		p.Max = 100
	}
	if p.Period == 0 {
		p.Period = time.Minute
	}
	if p.Step == 0 {
		p.Step = 1
	}
	var errs []error
	switch p.Generator {
	case "counter", "constant":
	case "sine", "ramp", "walk":
		if !(p.Min < p.Max) || math.IsInf(p.Max-p.Min, 0) {
			errs = append(errs, edged.BadKey(key+"max", "%v is not above min, which is %v", p.Max, p.Min))
		}
		if p.Period < 0 {
			errs = append(errs, edged.BadKey(key+"period", "%s is negative", p.Period))
		}
		if !(p.Step > 0) || math.IsInf(p.Step, 0) {
			errs = append(errs, edged.BadKey(key+"step", "%v is not a positive number", p.Step))
		}
	default:
		errs = append(errs, devices.BadChoice(key+"generator", "generator", p.Generator, "counter", "sine", "ramp", "walk", "constant"))
	}
	if p.Generator == "constant" {
		v, err := plain(p.Value)
		if err != nil {
			errs = append(errs, edged.BadKey(key+"value", "%v", err))
		}
		p.Value = v
	} else if p.Writable {
		errs = append(errs, edged.BadKey(key+"writable", "only a constant can be written; leave this out or use generator: constant"))
	}
	return errors.Join(errs...)
}

// plain makes a bool, float64 or string of a value from a configuration or a command.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, errors.New("missing; give a number, true, false or a string")
	case bool, string:
		return v, nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%v is no value; give a number, true, false or a string", v)
}
