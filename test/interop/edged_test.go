package interop_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/edged/edged/test/peers"
)

// binary is the edged under test, built once.
var binary string

func TestMain(m *testing.M) {
	var remove func()
	var err error
	if binary, remove, err = peers.Build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// subscribe runs a reader with a persistent session and waits until its subscriptions are in force.
func subscribe(t *testing.T, port int, id string, filters ...string) *peers.Process {
	t.Helper()
	args := append([]string{"testdata/reader.py", fmt.Sprint(port), id}, filters...)
	p := peers.Start(t, "reader "+id, peers.Python, args...)
	p.Line(t, 0, "^subscribed$")
	return p
}
