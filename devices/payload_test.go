package devices

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 4, 4, 5, 678_900_000, time.FixedZone("CET", 3600))

func TestReadingPayload(t *testing.T) {
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Value: 230.1, Unit: "V", Quality: Good}, `{"value":230.1,"unit":"V","time":"2026-01-02T03:04:05.678Z","quality":"good"}`},
		{Event{Value: float32(230.1), Quality: Good}, `{"value":230.1,"time":"2026-01-02T03:04:05.678Z","quality":"good"}`},
		{Event{Quality: Bad, Reason: `no "reply"`}, `{"value":null,"time":"2026-01-02T03:04:05.678Z","quality":"bad","reason":"no \"reply\""}`},
	} {
		c.e.Time = noon
		if got := string(appendReading(nil, c.e)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "null"}, {true, "true"}, {"°C", `"°C"`}, {"a\\b\n", `"a\\b\n"`}, {"\x00", `"\u0000"`}, {"\xc3", `"\ufffd"`}, {"a\"\xff", `"a\"\ufffd"`}, {7, "7"}, {int64(math.MinInt64), "-9223372036854775808"},
		{uint64(math.MaxUint64), "18446744073709551615"}, {0.1, "0.1"}, {1e-7, "1e-07"}, {1e21, "1e+21"}, {123456789.0, "123456789"},
		{float32(0.1), "0.1"}, {math.NaN(), "null"}, {float32(math.Inf(1)), "null"}, {struct{}{}, "null"},
	} {
		got := string(appendValue(nil, c.v))
		if got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("%v: %s; want %s", c.v, got, c.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		id   string
		v    any
		err  error
		want string
	}{
		{"7", 21.5, nil, `{"id":"7","ok":true,"value":21.5}`},
		{"", true, nil, `{"ok":true,"value":true}`},
		{"x", nil, errors.New("no reply"), `{"id":"x","ok":false,"error":"no reply"}`},
	} {
		if got := string(answer(c.id, Result{c.v}, c.err)); got != c.want {
			t.Errorf("got %s; want %s", got, c.want)
		}
	}
}
