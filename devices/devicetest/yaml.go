package devicetest

import (
	"bytes"

	"github.com/goccy/go-yaml"

	"github.com/edged/edged"
)

// YAML is a driver's options as they would stand in a configuration. It is strict as the real one is, but its errors
// have no file.
type YAML string

var _ edged.Raw = YAML("")

// Decode fills the struct v points to.
func (y YAML) Decode(v any) error {
	return yaml.NewDecoder(bytes.NewReader([]byte(y)), yaml.Strict()).Decode(v)
}
