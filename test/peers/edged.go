package peers

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

// Build builds edged in a folder of its own and returns the path of the binary, and a function that removes it.
func Build() (binary string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "edged-test-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // what stays behind lies in the folder for temporary files
	binary = filepath.Join(dir, "edged")
	build := exec.Command("go", "build", "-o", binary, "github.com/edged/edged/cmd/edged")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build edged: %w\n%s", err, out)
	}
	return binary, remove, nil
}

// Edged is edged as a user runs it: a binary, a file, a folder of data.
type Edged struct {
	*Process
	// Dir holds the configuration, edged.yaml, and unless the test says otherwise the data.
	Dir string
	// Port is that of its listener on 127.0.0.1, the same after a restart.
	Port   int
	binary string
}

// StartEdged writes the configuration, the sections of it as the test gives them and the data in folder data (empty:
// beside the configuration), and runs edged.
func StartEdged(t testing.TB, binary, data, sections string) *Edged {
	t.Helper()
	e := &Edged{Dir: t.TempDir(), Port: FreePort(t), binary: binary}
	if data == "" {
		data = filepath.Join(e.Dir, "data")
	}
	conf := fmt.Sprintf("id: gw-01\ndata_dir: %s\nbroker: {listeners: [{url: mqtt://127.0.0.1:%d}]}\n%s", data, e.Port, sections)
	if err := os.WriteFile(e.file(), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Start(t)
	return e
}

func (e *Edged) file() string { return filepath.Join(e.Dir, "edged.yaml") }

var addressLine = regexp.MustCompile(`mqtt://127\.0\.0\.1:(\d+)`)

// Exec runs edged and does not wait until it is ready.
func (e *Edged) Exec(t testing.TB) {
	t.Helper()
	e.Process = Start(t, "edged", e.binary, "run", "-c", e.file())
}

// Start runs edged and waits until it listens.
func (e *Edged) Start(t testing.TB) {
	t.Helper()
	e.Exec(t)
	line, _ := e.Line(t, 0, "listens on "+addressLine.String())
	if got := addressLine.FindStringSubmatch(line)[1]; got != strconv.Itoa(e.Port) {
		t.Fatalf("edged printed %q; it should listen on port %d", line, e.Port)
	}
	AwaitPort(t, e.Process, e.Port)
}

// Stop ends edged in order.
func (e *Edged) Stop(t testing.TB) {
	t.Helper()
	e.Signal(t, syscall.SIGTERM)
	if err := e.Wait(t); err != nil {
		t.Fatalf("edged after SIGTERM: %v", err)
	}
}
