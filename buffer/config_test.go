package buffer

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged"
	"github.com/goccy/go-yaml"
)

func TestConfigIsReadFromYAML(t *testing.T) {
	c := DefaultConfig()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte("sync: 100ms\nmax_bytes: 2GiB\nmin_free_disk: 32MiB\n"), &c); err != nil {
		t.Fatal(err)
	}
	want := Config{Sync: Sync(100 * time.Millisecond), MaxBytes: 2 << 30, MinFreeDisk: 32 << 20}
	if c != want || c.Check() != nil {
		t.Fatalf("%+v, %v; want %+v", c, c.Check(), want)
	}
	if err := yaml.Unmarshal([]byte("sync: always"), &c); err != nil || c.Sync != SyncAlways {
		t.Fatalf("%v, %v", c.Sync, err)
	}
	out, err := yaml.Marshal(want)
	if err != nil || !strings.Contains(string(out), "sync: 100ms") {
		t.Fatalf("%s, %v", out, err)
	}
	for _, in := range []string{"sync: never", "sync: -1s", "sync: 0s", "sync: 100"} {
		if err := yaml.Unmarshal([]byte(in), &c); err == nil || !strings.Contains(err.Error(), "neither always nor a duration") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestCheckNamesEveryBadKey(t *testing.T) {
	err := Config{Sync: Sync(time.Hour), MaxBytes: 10, MinFreeDisk: 1 << 20}.Check()
	for _, key := range []string{"sync", "max_bytes", "min_free_disk"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%v does not name %s", err, key)
		}
	}
	var bad *edged.KeyError
	if !errors.As(err, &bad) {
		t.Errorf("%T is not a KeyError", err)
	}
	if _, err := Open(Config{}, Options{Dir: t.TempDir()}); !errors.As(err, &bad) {
		t.Errorf("Open with an empty Config: %v", err)
	}
	if _, err := Open(DefaultConfig(), Options{}); err == nil {
		t.Error("Open without a folder succeeds")
	}
}
