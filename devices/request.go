package devices

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxCommand is the longest command payload in bytes.
const maxCommand = 64 << 10

// request is a command as it was sent.
type request struct {
	value any    // bool, int64, uint64, float64 or string
	id    string // "": none was given
}

// parseRequest reads `{"value":…,"id":…}` or a bare value: a JSON number, true, false or string, or else the text itself.
// The request returned with an error has the id, when there was one.
func parseRequest(payload []byte) (request, error) {
	if len(payload) > maxCommand {
		return request{}, fmt.Errorf("the command has %d bytes; at most %d are taken", len(payload), maxCommand)
	}
	text := bytes.TrimSpace(payload)
	switch {
	case len(text) == 0:
		return request{}, errors.New(`the command is empty; send a value, or {"value":…,"id":"…"}`)
	case !utf8.Valid(text):
		return request{}, errors.New("the command is not UTF-8")
	case text[0] == '{':
		return parseObject(text)
	case json.Valid(text):
		v, err := parseValue(text)
		return request{value: v}, err
	}
	return request{value: string(text)}, nil
}

// parseObject reads the long form.
func parseObject(text []byte) (request, error) {
	var object struct{ Value, ID json.RawMessage }
	if err := json.Unmarshal(text, &object); err != nil {
		return request{}, fmt.Errorf(`the command is not JSON: %w; send a value, or {"value":…,"id":"…"}`, err)
	}
	var r request
	if id := string(object.ID); id != "" && id != "null" {
		if err := json.Unmarshal(object.ID, &r.id); err != nil {
			r.id = id // a number, say, is given back as it came
		}
	}
	if object.Value == nil {
		return r, errors.New(`the command has no "value"`)
	}
	v, err := parseValue(object.Value)
	r.value = v
	return r, err
}

// parseValue reads a JSON scalar, integers exactly.
func parseValue(text []byte) (any, error) {
	switch text[0] {
	case '"':
		var s string
		err := json.Unmarshal(text, &s)
		return s, err
	case 't', 'f':
		return text[0] == 't', nil
	case '{', '[', 'n':
		return nil, fmt.Errorf("the value is %s; send a number, true, false or a string", kinds[text[0]])
	}
	s := string(text)
	if !strings.ContainsAny(s, ".eE") {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i, nil
		}
		if u, err := strconv.ParseUint(s, 10, 64); err == nil {
			return u, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("the value %s is too large", s)
	}
	return f, nil
}

var kinds = map[byte]string{'{': "an object", '[': "an array", 'n': "null"}
