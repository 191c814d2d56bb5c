// Package configs reads edged.yaml: it parses, merges, replaces variables, fills the parts' own configurations, checks
// the whole, and reports every mistake of a file at once, each with its place:
//
//	edged.yaml:2:3: broker: unknown key "lisseners"; did you mean "listeners"?
//	      lisseners: [mqtt://:1883]
//	      ^
//
// # From text to values
//
//	file + conf.d/*.yaml ──► trees ──► merged ──► Config over its defaults ──► Check ──► Errors
//	                         ${VAR}               (by yaml tags)              (each part's, each driver's)
//
// Values are replaced after parsing: what a variable holds is one value, and never becomes YAML. ${VAR} must be set,
// ${VAR:-default} need not be, $$ is a dollar sign. Inside [ ] and { } a variable needs quotes, since its braces are YAML.
//
// The files of conf.d beside edged.yaml are merged in the order of their names: lists append, groups of keys merge, and a
// single value replaces an earlier one. A device or uplink whose name is given twice is an error that shows both places.
//
// # Rules for structs
//
// A part's struct names its keys with `yaml` tags. A struct tagged inline shares the keys of the one around it.
// Durations take days (7d), types with UnmarshalText read themselves, a list's or map's elements begin as SetDefaults
// leaves them, and an [edged.Raw] field keeps its part of the file for its owner. A key without a value keeps the default.
//
// # Caveats
//
// This is not all of YAML: one document, no tags, no directives, no complex keys. Anchors, aliases and << work, within
// bounds. A file may have 1 MiB, 40 levels, 2,000 keys a group, and 250,000 values once aliases are followed.
//
// [Load] and [Parse] return a Config beside mistakes, so that Check can report these and its own together. A Config must
// not be used before Check returned nil.
package configs
