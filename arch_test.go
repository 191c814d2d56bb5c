package edged_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/edged/edged"

// floors holds the floor of each room; a pattern's * stands for one level. A package imports strictly lower floors.
var floors = []struct {
	floor int
	rooms []string
}{
	{0, []string{".", "codec/mqtt", "codec/topic", "devices/line"}},
	{1, []string{"broker", "codec", "devices", "buffer", "internal/client", "internal/certs", "internal/access"}},
	{2, []string{"codec/*", "devices/*", "bridge", "broker/brokertest"}},
	{3, []string{"bridge/paho", "configs", "internal/httpapi", "internal/metrics", "internal/webui"}},
	{4, []string{"internal/gateway"}},
	{5, []string{"internal/demo"}},
	{6, []string{"cmd/edged"}},
	{7, []string{"test/*"}},
}

// owners names the rooms that may import each of these modules: what it hides can be replaced without the others.
var owners = map[string]string{
	"github.com/dgraph-io/badger/": "buffer",
	"github.com/eclipse/paho.":     "bridge/paho",
	"github.com/goburrow/":         "devices/modbus",
	"github.com/gorilla/websocket": "broker",
	"github.com/goccy/go-yaml":     "configs devices/devicetest",
	"github.com/spf13/cobra":       "cmd/edged",
	"github.com/prometheus/":       "internal/metrics",
	"go.bug.st/serial":             "devices/line",
	"html/template":                "", // keeps every exported method: megabytes of dead code in the binary
	"text/template":                "",
}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func (p pkg) room() string { return room(p.ImportPath) }

func room(importPath string) string {
	if importPath == module {
		return "."
	}
	// What lies in a room's own internal folder belongs to the room.
	room, _, _ := strings.Cut(strings.TrimPrefix(importPath, module+"/"), "/internal/")
	return room
}

func floorOf(room string) (int, bool) {
	for _, f := range floors {
		if slices.Contains(f.rooms, room) {
			return f.floor, true
		}
	}
	for _, f := range floors {
		for _, pattern := range f.rooms {
			if ok, err := path.Match(pattern, room); ok && err == nil {
				return f.floor, true
			}
		}
	}
	return 0, false
}

func packages(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.Bytes())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// faults lists what is wrong with the imports of pkgs.
func faults(pkgs []pkg) []string {
	var found []string
	for _, p := range pkgs {
		floor, known := floorOf(p.room())
		if !known {
			found = append(found, p.room()+" stands on no floor: give it one in arch_test.go and ARCHITECTURE.md")
			continue
		}
		for _, imp := range p.Imports {
			if imp == module || strings.HasPrefix(imp, module+"/") {
				if below, ok := floorOf(room(imp)); ok && below >= floor && room(imp) != p.room() {
					found = append(found, p.room()+" imports "+room(imp)+", which is not on a lower floor")
				}
			}
			for prefix, owner := range owners {
				if strings.HasPrefix(imp, prefix) && !slices.Contains(strings.Fields(owner), p.room()) {
					found = append(found, p.room()+" imports "+imp+", which belongs to "+owner)
				}
			}
		}
	}
	return found
}

func TestFloors(t *testing.T) {
	pkgs := packages(t, "./...")
	if len(pkgs) < 10 {
		t.Fatalf("go list found only %d packages", len(pkgs))
	}
	for _, f := range faults(pkgs) {
		t.Error(f)
	}
}

func TestFloorsAreChecked(t *testing.T) {
	bad := []pkg{
		{ImportPath: module + "/broker", Imports: []string{module + "/buffer"}},
		{ImportPath: module + "/devices/modbus", Imports: []string{module + "/broker/brokertest"}},
		{ImportPath: module + "/bridge", Imports: []string{"github.com/eclipse/paho.mqtt.golang"}},
		{ImportPath: module + "/util"},
	}
	if got := faults(bad); len(got) != len(bad) {
		t.Errorf("want a fault for each of %d packages, got %q", len(bad), got)
	}
}

func TestEmbedderOfTheBrokerGetsNothingElse(t *testing.T) {
	for _, p := range packages(t, "./broker") {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) {
				continue
			}
			if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") && !strings.HasPrefix(dep, "golang.org/x/sys") && dep != "github.com/gorilla/websocket" {
				t.Errorf("broker depends on %s; an embedder should get the standard library and WebSockets only", dep)
			}
		}
	}
}
