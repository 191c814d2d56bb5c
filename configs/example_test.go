package configs

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/devices"
)

// fakeDriver takes any options and hands them to check.
type fakeDriver struct {
	name  string
	check func(devices.Env, edged.Raw) error
}

func (f fakeDriver) Name() string { return f.name }

func (f fakeDriver) New(env devices.Env, raw edged.Raw) (devices.Adapter, error) {
	if f.check == nil {
		return nil, nil
	}
	return nil, f.check(env, raw)
}

func values(c *Config) []any {
	return []any{c.ID, c.DataDir, c.Log, c.Broker, c.Buffer, c.Uplinks, c.Devices}
}

func TestExampleIsTheDefault(t *testing.T) {
	c, err := Parse("edged.yaml", Example)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(nil); err != nil {
		t.Fatal(err)
	}
	for i, got := range values(c) {
		if want := values(Default())[i]; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

// What is commented out, "#key: value" without a space, must be right, too, and an uplink's explained keys the default.
func TestExampleUncommented(t *testing.T) {
	text := regexp.MustCompile(`(?m)^#(\S|  )`).ReplaceAll(Example, []byte("$1"))
	c, err := Parse("edged.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check([]devices.Driver{fakeDriver{name: "modbus"}, fakeDriver{name: "sim"}}); err != nil {
		t.Fatal(err)
	}
	if len(c.Uplinks) != 1 || len(c.Devices) != 2 || c.ID != "gw-01" {
		t.Fatalf("got %d uplinks, %d devices, id %q", len(c.Uplinks), len(c.Devices), c.ID)
	}
	got, want := c.Uplinks[0], newDecoder().fresh(reflect.TypeOf(c.Uplinks[0])).Interface()
	for i := range reflect.TypeOf(got).NumField() {
		name := reflect.TypeOf(got).Field(i).Name
		if strings.Contains(" Name URLs Username PasswordFile TLS Forward Receive ", " "+name+" ") {
			continue
		}
		if g, w := reflect.ValueOf(got).Field(i).Interface(), reflect.ValueOf(want).Field(i).Interface(); !reflect.DeepEqual(g, w) {
			t.Errorf("uplink's %s: the example says %v, the default is %v", name, g, w)
		}
	}
}

func TestExampleNamesEveryKey(t *testing.T) {
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if options == "inline" {
				walk(f.Type, path)
			} else if name != "" && name != "-" {
				if !regexp.MustCompile(`[\s#{]` + name + `: ?`).Match(Example) {
					t.Errorf("%s is not explained in edged.yaml", below(path, name))
				}
				walk(f.Type, below(path, name))
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

// A key that a part has learned must not be called "not in this version".
func TestPlannedKeysAreNotThereYet(t *testing.T) {
	for _, key := range plannedKeys {
		parts := strings.Split(strings.ReplaceAll(key, "[]", ""), ".")
		var text bytes.Buffer
		for i, p := range parts {
			dash := ""
			if i > 0 && strings.Contains(key, parts[i-1]+"[]") {
				dash = "- "
			}
			fmt.Fprintf(&text, "%s%s%s: ", strings.Repeat("    ", i), dash, p)
			if i < len(parts)-1 {
				text.WriteString("\n")
			}
		}
		text.WriteString("{}\n")
		_, err := Parse("p.yaml", text.Bytes())
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q is not in this version of edged yet; remove it", parts[len(parts)-1])) {
			t.Errorf("%s: got %v", text.Bytes(), err)
		}
	}
}
