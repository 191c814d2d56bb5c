package devices

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// timeLayout has milliseconds always, so that readers and sorting find one width.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// appendReading appends a reading as JSON. e.Value was checked by plain.
func appendReading(b []byte, e Event) []byte {
	b = append(b, `{"value":`...)
	b = appendValue(b, e.Value)
	if e.Unit != "" {
		b = append(b, `,"unit":`...)
		b = appendString(b, e.Unit)
	}
	b = append(b, `,"time":"`...)
	b = e.Time.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","quality":"`...)
	b = append(b, e.Quality...)
	b = append(b, '"')
	if e.Reason != "" {
		b = append(b, `,"reason":`...)
		b = appendString(b, e.Reason)
	}
	return append(b, '}')
}

// status is the payload of a device's state.
func status(s State, reason string) []byte {
	b := append([]byte(`{"state":"`), s...)
	b = append(b, '"')
	if reason != "" {
		b = append(b, `,"reason":`...)
		b = appendString(b, reason)
	}
	return append(b, '}')
}

// answer is the payload of a command's result; err nil: it was done.
func answer(id string, r Result, err error) []byte {
	b := []byte{'{'}
	if id != "" {
		b = append(b, `"id":`...)
		b = append(appendString(b, id), ',')
	}
	if err != nil {
		b = append(b, `"ok":false,"error":`...)
		return append(appendString(b, err.Error()), '}')
	}
	b = append(b, `"ok":true,"value":`...)
	return append(appendValue(b, r.Value), '}')
}

// plain says whether v can be written as a value.
func plain(v any) error {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the value is %v, not a number", v)
		}
	case float32:
		return plain(float64(v))
	case nil, bool, string, int, int64, uint64:
	default:
		return fmt.Errorf("the driver gave a %T, which has no place in a reading", v)
	}
	return nil
}

// appendValue writes what plain accepts, and null for the rest.
func appendValue(b []byte, v any) []byte {
	if plain(v) != nil {
		return append(b, "null"...)
	}
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendString(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float64:
		return appendFloat(b, v, 64)
	case float32:
		return appendFloat(b, float64(v), 32)
	}
	return append(b, "null"...)
}

// appendFloat writes the shortest digits that read back as f, with an exponent only where it is long without (as
// encoding/json does).
func appendFloat(b []byte, f float64, bits int) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, bits)
}

// appendString writes s as a JSON string; what is not UTF-8 in it becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	if simple(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	q, err := json.Marshal(s)
	if err != nil { // never for a string
		return append(b, `""`...)
	}
	return append(b, q...)
}

// simple says whether s needs no escapes, as units and most reasons do.
func simple(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return utf8.ValidString(s)
}

// stamp is t, or now when t is zero.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}
