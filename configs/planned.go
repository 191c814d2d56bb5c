package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// plannedKeys are the keys of the documented configuration that this version does not know yet. Whoever builds one
// removes it here; a test sees to it.
var plannedKeys = []string{
	"http",
}

// secretHints are keys that nobody will add: what they would hold does not belong into a file.
var secretHints = map[string]string{
	"uplinks[].password": "a password does not stand in the configuration; write it to a file of its own and name that with password_file",
}

var index = regexp.MustCompile(`\[\d+\]`)

// planned is what to say to a key that is not there, but is no mistake of typing either; empty: nothing.
func planned(path string) string {
	pattern := index.ReplaceAllString(path, "[]")
	if hint := secretHints[pattern]; hint != "" {
		return hint
	}
	if slices.Contains(plannedKeys, pattern) {
		return fmt.Sprintf("%q is not in this version of edged yet; remove it", pattern[strings.LastIndexByte(pattern, '.')+1:])
	}
	return ""
}
