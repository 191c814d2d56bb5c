package buffer

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv makes the test binary the process that is to be killed.
const childEnv = "EDGED_BUFFER_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir))
	}
	// Each check opens and closes stores on a real disk many times over; -rapid.checks=100 for more.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
