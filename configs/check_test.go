package configs

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

var update = flag.Bool("update", false, "write what was got to the .want files")

// strictOptions are those of a driver that knows few.
type strictOptions struct {
	devices.Common `yaml:",inline"`
	Speed          int `yaml:"speed"`
	Points         []struct {
		Name string `yaml:"name"`
		Type string `yaml:"type"`
	} `yaml:"points"`
}

// testDrivers are "free", which takes anything, and "strict".
var testDrivers = []devices.Driver{
	fakeDriver{name: "free"},
	fakeDriver{name: "strict", check: func(_ devices.Env, raw edged.Raw) error {
		var o strictOptions
		if err := raw.Decode(&o); err != nil {
			return fmt.Errorf("options: %w", err)
		}
		var errs []error
		for i, p := range o.Points {
			if p.Type != "bit" {
				errs = append(errs, fmt.Errorf("point %d: %w", i, edged.BadKey(fmt.Sprintf("points[%d].type", i), "%q is not a type; use bit", p.Type)))
			}
		}
		return errors.Join(errs...)
	}},
}

// checked parses and checks.
func checked(name string, data []byte) (*Config, error) {
	c, err := Parse(name, data)
	if c == nil {
		return nil, err
	}
	return c, c.Check(testDrivers)
}

// Each file of testdata/mistakes is read, and its messages are those of the .want file beside it, to the letter.
func TestMistakes(t *testing.T) {
	t.Setenv("EDGED_TEST_BAD", "a-secret-from-the-environment")
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = checked("edged.yaml", data)
			var es Errors
			if !errors.As(err, &es) {
				t.Fatalf("got %v, want Errors", err)
			}
			for _, e := range es {
				if e.File != "edged.yaml" || e.Line < 1 || e.Column < 1 {
					t.Errorf("no place: %+v", e)
				}
			}
			wantFile := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(wantFile, []byte(err.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(wantFile)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if got := err.Error() + "\n"; got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "broker:\nlog:\n", "\uFEFF"} {
		c, err := checked("edged.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, want := fmt.Sprintf("%+v", values(c)), fmt.Sprintf("%+v", values(Default())); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// A configuration made in code has no places, and is checked all the same.
func TestCheckWithoutFile(t *testing.T) {
	c := Default()
	c.DataDir = ""
	c.Devices = []devices.Config{
		{Common: devices.Common{Name: "a", Driver: "free", Every: 1e9}},
		{Common: devices.Common{Name: "a", Driver: "free", Every: 1e9}},
	}
	err := c.Check(testDrivers)
	const want = `data_dir: empty; name a folder, such as /var/lib/edged
devices[0]: has no options for the driver "free"
devices[1]: has no options for the driver "free"
devices[1].name: the name "a" is given twice; it stands already at devices[0]`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEmptySectionHasAPlace(t *testing.T) {
	c, err := Parse("edged.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.ID = "not an id"
	if err := c.Check(nil); err == nil || !strings.HasPrefix(err.Error(), `edged.yaml:1:1: id: "not an id" is not an id`) {
		t.Errorf("got %v", err)
	}
}

func TestWarnings(t *testing.T) {
	const text = `
broker:
  listeners: [{url: "mqtt://127.0.0.1:1883"}, {url: "mqtt://:1884"}, {url: "mqtt://localhost:1885"}, {url: "mqtt://[::1]:1886"}, {url: "tcp://10.0.0.1"}]
  anonymous: always
buffer: {sync: 100ms}
uplinks:
  - {name: a, urls: ["mqtt://cloud.example.com", "mqtts://cloud.example.com", "mqtt://127.0.0.1"], forward: [{from: "#"}]}
  - {name: b, urls: ["mqtts://cloud.example.com"]}
`
	c, err := checked("edged.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range c.Warnings() {
		got = append(got, fmt.Sprintf("%d:%d %s: %.30s", w.Line, w.Column, w.Key, w.Problem))
	}
	want := []string{
		"3:53 broker.listeners[1].url: open to the network without TL",
		"3:136 broker.listeners[4].url: open to the network without TL",
		"7:22 uplinks[0].urls[0]: without TLS: messages and the ",
		"8:5 uplinks[1]: has neither forward nor receiv",
		"5:16 buffer.sync: a power cut can take acknowled",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	c, err = checked("edged.yaml", []byte("broker: {listeners: [{url: \"mqtt://:0\"}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0].Problem, "clients from there are refused") {
		t.Errorf("got %v", w)
	}
	if w := Default().Warnings(); len(w) != 0 {
		t.Errorf("the default warns: %v", w)
	}
}
