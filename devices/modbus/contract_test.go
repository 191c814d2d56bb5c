package modbus

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/edged/edged/devices"
	"github.com/edged/edged/devices/devicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// entry is a device with these points at a server.
func entry(s *server, more ...string) string {
	text := strings.Join(more, "\n") + "\n"
	for _, line := range []string{"timeout: 200ms", "every: 20ms", "url: " + s.url(), "driver: modbus", "name: tested"} {
		if key, _, _ := strings.Cut(line, ":"); !strings.HasPrefix(text, key+":") && !strings.Contains(text, "\n"+key+":") {
			text = line + "\n" + text
		}
	}
	return text
}

func points(points ...string) string {
	return "points:\n  - {" + strings.Join(points, "}\n  - {") + "}"
}

func TestContract(t *testing.T) {
	s := newServer(t)
	address := s.Addr().String()
	ok := "name: ok, register: holding, address: 1"
	with := func(p string) string { return entry(s, points(ok, p)) }
	devicetest.Run(t, devicetest.Harness{
		Driver:  Driver{},
		Options: entry(s, points("name: volt, register: input, address: 0", "name: set, register: holding, address: 5, scale: 0.1, type: int16, writable: true")),
		Invalid: map[string]string{
			"name: x\n" + points(ok):                                                                    "url: missing",
			"name: x\nurl: rtu:///dev/ttyUSB0?baud=9600\n":                                              "url: rtu:// is not in this version; use tcp://host:port",
			"name: x\nurl: http://a\n":                                                                  "url: ",
			"name: x\nurl: tcp://a:0\n":                                                                 "url: ",
			"name: x\nurl: tcp://a:99999\n":                                                             "url: ",
			"name: x\nurl: tcp://a/x\n":                                                                 "url: ",
			"name: x\nurl: tcp://:502\n":                                                                "url: ",
			entry(s):                                                                                    "points: missing",
			entry(s, "unit: 256", points(ok)):                                                           "unit: 256 is out of range; use 0 to 255",
			entry(s, "order: ABDC", points(ok)):                                                         `order: "ABDC" is not a byte order; did you mean "ABCD"?`,
			entry(s, "max_registers: 126", points(ok)):                                                  "max_registers",
			entry(s, "pause_after_connect: 2m", points(ok)):                                             "pause_after_connect",
			with("name: a, register: holding, address: 0, type: flaot32"):                               `points[1].type: "flaot32" is not a type; did you mean "float32"?`,
			with("name: a, register: holdng, address: 0"):                                               `points[1].register: "holdng" is not a register; did you mean "holding"?`,
			with("name: a, register: holding"):                                                          "points[1].address: missing",
			with("name: a, address: 107"):                                                               `points[1].register: missing, and the address "107" is no reference`,
			with("name: a, address: 20001"):                                                             "points[1].register",
			with("name: a, register: holding, address: 65536"):                                          "points[1].address",
			with("name: a, register: holding, address: 65535, type: int32"):                             "points[1].address: 2 registers from 65535 on",
			with("name: a, register: holding, address: x"):                                              "points[1].address",
			with("name: a, register: input, address: 1, writable: true"):                                "points[1].writable: input registers cannot be written",
			with("name: a, register: coil, address: 1, type: int16"):                                    "points[1].type: a coil is a bit",
			with("name: a, register: holding, address: 1, type: bit"):                                   "points[1].bit: missing",
			with("name: a, register: holding, address: 1, type: bit, bit: 16"):                          "points[1].bit: 16",
			with("name: a, register: holding, address: 1, bit: 1"):                                      "points[1].bit: only",
			with("name: a, register: holding, address: 1, type: string"):                                "points[1].length: 0",
			with("name: a, register: holding, address: 1, length: 2"):                                   "points[1].length: only",
			with("name: a, register: holding, address: 1, scale: 0"):                                    "points[1].scale",
			with("name: a, register: holding, address: 1, precision: 16"):                               "points[1].precision",
			with("name: a, register: holding, address: 1, min: 2, max: 1"):                              "points[1].max",
			with("name: a, register: holding, address: 1, nan: [0x10000]"):                              "points[1].nan[0]",
			with("name: a, register: holding, address: 1, nan: [-1]"):                                   "points[1].nan[0]",
			with("name: a, register: holding, address: 1, type: string, length: 2, scale: 2"):           "points[1].scale: a string has none",
			with("name: a, register: holding, address: 1, type: float32, enum: {\"1\": on}"):            "points[1].enum",
			with("name: a, register: holding, address: 1, enum: {\"1\": on, \"2\": on}"):                "points[1].enum",
			with("name: a, register: holding, address: 1, enum: {x: on}"):                               "points[1].enum",
			with("name: a, register: holding, address: 1, deadband: -1"):                                "points[1].deadband",
			with("name: status, register: holding, address: 1"):                                         "points[1].name",
			with("name: ok, register: holding, address: 1"):                                             "is the name of points[0], too",
			with("name: a, register: holding, address: 1, every: 1us"):                                  "points[1].every",
			with("name: a, register: holding, address: 1, colour: purple"):                              "colour",
			entry(s, "max_registers: 1", points("name: a, register: holding, address: 1, type: int32")): "points[0].length",
			entry(s, "address_base: 1", points("name: a, register: holding, address: 0")):               "points[0].address",
		},
		Write:    &devices.Command{Point: "set", Value: 21.5},
		Want:     21.5,
		ReadOnly: "volt",
		Break:    s.stop,
		Restore:  func() { s.listen(t, address) },
	})
}
