package configs

import (
	"fmt"
	"os"
	"strings"
)

// expand replaces ${VAR}, ${VAR:-default} and $$ in a value. What a variable holds is never looked at again and never
// becomes YAML. A lone $ stays, as in the regular expression ^ST,(\d+)$.
func expand(s string) (out, problem string) {
	if !strings.Contains(s, "$") {
		return s, ""
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i+1 == len(s) {
			b.WriteString(s)
			return b.String(), problem
		}
		b.WriteString(s[:i])
		rest := s[i+1:]
		switch rest[0] {
		case '$':
			b.WriteByte('$')
			s = rest[1:]
		case '{':
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return b.String(), "${ has no } after it; write $${ for these characters themselves"
			}
			value, p := lookup(rest[1:end])
			if p != "" && problem == "" {
				problem = p
			}
			b.WriteString(value)
			s = rest[end+1:]
		default:
			b.WriteByte('$')
			s = rest
		}
	}
}

// lookup finds the value of VAR or VAR:-default. As in a shell, the default stands for an empty variable, too.
func lookup(expr string) (value, problem string) {
	name, fallback, hasDefault := strings.Cut(expr, ":-")
	if !validName(name) {
		return "", fmt.Sprintf("%s is not the name of a variable; write ${NAME}, ${NAME:-default}, or $$ for a dollar sign", quote(name))
	}
	value, set := os.LookupEnv(name)
	if hasDefault {
		if value == "" {
			return fallback, ""
		}
		return value, ""
	}
	if !set {
		return "", fmt.Sprintf("the environment variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	return value, ""
}

// validName: letters, digits and _, not a digit first (POSIX 8.1).
func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
