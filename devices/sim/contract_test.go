package sim

import (
	"testing"

	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

const valid = `
name: tested
driver: sim
every: 10ms
points:
  - {name: count, generator: counter}
  - {name: setpoint, generator: constant, value: 21.5, writable: true}
`

func TestContract(t *testing.T) {
	point := func(p string) string {
		return "name: tested\nevery: 10ms\npoints:\n  - {name: ok, generator: counter}\n  - " + p + "\n"
	}
	devicetest.Run(t, devicetest.Harness{
		Driver:  Driver{},
		Options: valid,
		Invalid: map[string]string{
			"name: tested\n":                                                  "points: missing",
			valid + "fail: {after: 1s}\n":                                     "fail: after is 1s",
			point("{name: a, generator: couter}"):                             `points[1].generator: "couter" is not a generator; did you mean "counter"?`,
			point("{name: a, generator: counter, at_least_every: -1s}"):       "points[1].at_least_every",
			point("{name: a}"):                                                "points[1].generator: missing",
			point("{name: a/b, generator: counter}"):                          "points[1].name",
			point("{name: status, generator: counter}"):                       "points[1].name",
			point("{name: ok, generator: counter}"):                           "is the name of points[0], too",
			point("{name: a, generator: counter, every: 1us}"):                "points[1].every",
			point("{name: a, generator: counter, writable: true}"):            "points[1].writable",
			point("{name: a, generator: constant}"):                           "points[1].value: missing",
			point("{name: a, generator: constant, value: [1]}"):               "points[1].value",
			point("{name: a, generator: sine, min: 2, max: 1}"):               "points[1].max",
			point("{name: a, generator: sine, period: -1s}"):                  "points[1].period",
			point("{name: a, generator: walk, step: -1}"):                     "points[1].step",
			point("{name: a, generator: constant, value: 1, colour: purple}"): "colour",
		},
		Write:    &devices.Command{Point: "setpoint", Value: int64(23)},
		Want:     23.0,
		ReadOnly: "count",
	})
}
