package devices

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "boiler-1", "Kessel Süd", "°C", "$x", strings.Repeat("x", 128), "status"} {
		if err := CheckName("name", name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "a/b", "a+", "#", "a\x00", "a\nb", "\u0085", "\xff", strings.Repeat("x", 129)} {
		err := CheckName("name", name)
		var key *edged.KeyError
		if !errors.As(err, &key) || key.Key != "name" {
			t.Errorf("%q: %v", name, err)
		}
	}
	if CheckPoint("name", "status") == nil || CheckPoint("name", "state") != nil {
		t.Error("status, and status alone, is taken")
	}
}

func TestConfigCheck(t *testing.T) {
	good := DefaultConfig()
	good.Name, good.Driver = "boiler", "modbus"
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	bad := Config{Common: Common{Name: "a/b", Every: time.Microsecond}}
	err := bad.Check()
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"name: ", "driver: missing", "every: 1µs is out of range; use 1ms to 24h0m0s"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestBadChoice(t *testing.T) {
	for got, want := range map[string]string{
		"flaot32": `k: "flaot32" is not a type; did you mean "float32"? Known are int16, float32`,
		"INT16":   `did you mean "int16"?`,
		"int61":   `did you mean "int16"?`,
		"purple":  `k: "purple" is not a type; use one of int16, float32`,
		"":        "k: missing; use one of int16, float32",
	} {
		if err := BadChoice("k", "type", got, "int16", "float32"); !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", got, err, want)
		}
	}
}
