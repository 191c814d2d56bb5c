package configs

import (
	"regexp"
	"strings"
)

// masked stands in the place of a secret.
const masked = "***"

// secretValue finds `password: x` in a source line, also within { }, and the password of a URL.
var (
	secretValue = regexp.MustCompile(`(?i)(["']?\b[a-z0-9_]*(?:password|passphrase|secret|token|pass|psk|api_key)["']?\s*:\s+)("(?:[^"\\]|\\.)*"?|'[^']*'?|(?:\$\{[^}]*\}|[^\s,}])(?:\$\{[^}]*\}|[^,}])*)`)
	variable    = regexp.MustCompile(`^\$\{\w+\}$`)
	urlPassword = regexp.MustCompile(`(://[^/\s:@]*:)[^/\s@]+@`)
)

// mask hides secrets in a line of a file; a value that is only a variable's name stays.
func mask(line string) string {
	line = secretValue.ReplaceAllStringFunc(line, func(m string) string {
		parts := secretValue.FindStringSubmatch(m)
		if variable.MatchString(strings.Trim(parts[2], `"' `)) {
			return m
		}
		return parts[1] + masked
	})
	return maskURL(line)
}

// conceal removes from a message what ${…} put into a value: it may be a secret. A number is none, and a value of a
// few letters would be found in the words of the message.
func (n *node) conceal(message string) string {
	if n == nil || n.kind != scalar || n.text == n.written || len(n.text) < 4 {
		return message
	}
	if _, number := readFloat(n.text); number {
		return message
	}
	return strings.ReplaceAll(message, n.text, n.written)
}

// maskURL hides the password of a URL; other text is returned as it is.
func maskURL(s string) string { return urlPassword.ReplaceAllString(s, "${1}"+masked+"@") }

// secretKeys are keys whose values are never shown. A key that names a file (password_file, key) is not one of them.
var secretKeys = []string{"password", "passphrase", "secret", "token", "pass", "psk", "api_key"}

// isSecret says whether the value of a key is a secret.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	for _, s := range secretKeys {
		if key == s || strings.HasSuffix(key, "_"+s) {
			return true
		}
	}
	return false
}
