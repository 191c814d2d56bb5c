package edged

import "fmt"

// Raw is a part of the configuration that only its owner understands, such as a driver's options.
type Raw interface {
	// Decode fills the struct v points to by its `yaml` tags, after its defaults were set. Unknown keys and values of
	// the wrong kind are errors; all of them are reported, each with file, line and column.
	Decode(v any) error
}

// KeyError says what is wrong with one key of a configuration. Check methods return it, joined with errors.Join where
// there are several; whoever read the file adds file, line and column.
type KeyError struct {
	// Key is the path of the key below the section that was checked: "listeners[0].url"; empty: the section itself.
	Key string
	// Problem says what was found and what is expected: `"tcpp" is not a scheme; use mqtt, mqtts, ws, wss or unix`.
	Problem string
}

func (e *KeyError) Error() string {
	if e.Key == "" {
		return e.Problem
	}
	return e.Key + ": " + e.Problem
}

// BadKey makes a KeyError with a formatted problem.
func BadKey(key, format string, args ...any) error {
	return &KeyError{Key: key, Problem: fmt.Sprintf(format, args...)}
}
