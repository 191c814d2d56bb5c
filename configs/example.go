package configs

import _ "embed" // for the example

// Example is the file that `edged init` writes: every key with what it means. What is active in it is the default.
//
//go:embed edged.yaml
var Example []byte
