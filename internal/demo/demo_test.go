package demo

import (
	"bytes"
	"testing"
	"time"
)

func TestNothingIsLostAndTheOutageIsSeen(t *testing.T) {
	var screen bytes.Buffer
	tally, err := Run(t.Context(), Options{Out: &screen, Before: 500 * time.Millisecond, Outage: time.Second})
	if err != nil {
		t.Fatalf("%v\n%s", err, screen.Bytes())
	}
	if tally.Sent == 0 || tally.Received != tally.Sent || tally.Lost != 0 {
		t.Errorf("tally %+v: want all that was sent received\n%s", tally, screen.Bytes())
	}
	for _, want := range []string{"the line is cut", "the line is back", "waiting", "lost             0"} {
		if !bytes.Contains(screen.Bytes(), []byte(want)) {
			t.Errorf("the screen does not say %q:\n%s", want, screen.Bytes())
		}
	}
}

func TestTallyCountsLostAndDoubled(t *testing.T) {
	c := newCounter()
	for _, p := range []string{"1", "2", "3"} {
		c.atEdge("devices/a/count", []byte(p))
	}
	c.atEdge("devices/a/status", []byte("online"))
	c.atCloud("sites/demo/devices/a/count", []byte("1"))
	c.atCloud("sites/demo/devices/a/count", []byte("3"))
	c.atCloud("sites/demo/devices/a/count", []byte("3"))
	c.freeze()
	c.atEdge("devices/a/count", []byte("4"))
	if got, want := c.tally(), (Tally{Sent: 3, Received: 2, Lost: 1, Duplicated: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
