package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
)

// binary is the edged under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "edged-interop-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "edged")
		build := exec.Command("go", "build", "-o", binary, "../../cmd/edged")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build edged: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// edge is edged as a user runs it: a binary, a file, a folder of data.
type edge struct {
	*process
	dir  string
	port int
}

// startEdged writes the configuration and runs edged. The port of its listener is the same after a restart.
func startEdged(t *testing.T, sections string) *edge {
	t.Helper()
	e := &edge{dir: t.TempDir(), port: freePort(t)}
	conf := fmt.Sprintf("id: gw-01\ndata_dir: %s/data\nbroker: {listeners: [{url: mqtt://127.0.0.1:%d}]}\n%s", e.dir, e.port, sections)
	if err := os.WriteFile(e.file(), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	e.start(t)
	return e
}

func (e *edge) file() string { return filepath.Join(e.dir, "edged.yaml") }

var addressLine = regexp.MustCompile(`mqtt://127\.0\.0\.1:(\d+)`)

func (e *edge) start(t *testing.T) {
	t.Helper()
	e.process = start(t, "edged", binary, "run", "-c", e.file())
	line, _ := e.line(t, 0, addressLine.String())
	if got := addressLine.FindStringSubmatch(line)[1]; got != strconv.Itoa(e.port) {
		t.Fatalf("edged printed %q; it should listen on port %d", line, e.port)
	}
	awaitPort(t, e.process, e.port)
}

// powerCut kills edged without a chance to say or save anything.
func (e *edge) powerCut(t *testing.T) {
	t.Helper()
	e.kill(t)
}

// stop ends edged in order.
func (e *edge) stop(t *testing.T) {
	t.Helper()
	e.signal(t, syscall.SIGTERM)
	if err := e.wait(t); err != nil {
		t.Fatalf("edged after SIGTERM: %v", err)
	}
}
