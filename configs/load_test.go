package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes files in a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPartsMergeInNameOrder(t *testing.T) {
	dir := write(t, map[string]string{
		"edged.yaml":          "id: main\nbroker: {anonymous: never, limits: {connections: 5}}\ndevices: [{name: a, driver: free}]\n",
		"conf.d/20-b.yaml":    "id: later\ndevices: [{name: c, driver: free}]\n",
		"conf.d/10-a.yaml":    "id: earlier\nbroker: {limits: {inflight: 7}}\ndevices: [{name: b, driver: free}]\n",
		"conf.d/30.yaml":      "# nothing\n",
		"conf.d/.hidden.yaml": "nonsense: 1\n",
		"conf.d/readme.txt":   "nonsense: 1\n",
		"conf.d/x.yaml/file":  "a folder is no file\n",
	})
	c, err := Load(filepath.Join(dir, "edged.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(testDrivers); err != nil {
		t.Fatal(err)
	}
	var names string
	for _, d := range c.Devices {
		names += d.Name
	}
	if c.ID != "later" || names != "abc" || c.Broker.Limits.Connections != 5 || c.Broker.Limits.Inflight != 7 || c.Broker.Anonymous != "never" {
		t.Errorf("got id %q, devices %q, %+v", c.ID, names, c.Broker)
	}
	if len(c.Files()) != 4 {
		t.Errorf("read %v", c.Files())
	}
}

func TestMistakesInPartsHaveTheirFiles(t *testing.T) {
	dir := write(t, map[string]string{
		"edged.yaml":     "devices: [{name: a, driver: free}]\nidd: x\n",
		"conf.d/10.yaml": "broker: {anonymous: some}\n",
		"conf.d/20.yaml": "devices:\n  - driver: free\n    name: a\n",
	})
	c, err := Load(filepath.Join(dir, "edged.yaml"))
	if c == nil || err == nil {
		t.Fatalf("got %v, %v; want both", c, err)
	}
	err = c.Check(testDrivers)
	got := strings.ReplaceAll(err.Error(), dir+"/", "")
	const want = `edged.yaml:2:1: unknown key "idd"; did you mean "id"?
    idd: x
    ^
conf.d/10.yaml:1:21: broker.anonymous: "some" is not a policy; use never, loopback or always
    broker: {anonymous: some}
                        ^
conf.d/20.yaml:3:11: devices[1].name: the name "a" is given twice; it stands already at edged.yaml:1:18
        name: a
              ^`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSyntaxErrorsOfAllFiles(t *testing.T) {
	dir := write(t, map[string]string{"edged.yaml": "a: [\n", "conf.d/1.yaml": "b: \"\n"})
	c, err := Load(filepath.Join(dir, "edged.yaml"))
	var es Errors
	if c != nil || !errors.As(err, &es) || len(es) != 2 {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestLoadFailures(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder: want an error")
	}
	dir := write(t, map[string]string{"edged.yaml": strings.Repeat("#", maxFile+10)})
	if _, err := Load(filepath.Join(dir, "edged.yaml")); err == nil || !strings.Contains(err.Error(), "at most 1048576 are read") {
		t.Errorf("too big: %v", err)
	}
	dir = write(t, map[string]string{"edged.yaml": "", "conf.d": "a file in the place of the folder"})
	if _, err := Load(filepath.Join(dir, "edged.yaml")); err == nil {
		t.Error("conf.d is a file: want an error")
	}
}

func TestTooManyParts(t *testing.T) {
	files := map[string]string{"edged.yaml": ""}
	for i := range maxParts + 1 {
		files["conf.d/"+strings.Repeat("x", i+1)+".yaml"] = ""
	}
	if _, err := Load(filepath.Join(write(t, files), "edged.yaml")); err == nil || !strings.Contains(err.Error(), "more than 100 files") {
		t.Errorf("got %v", err)
	}
}
