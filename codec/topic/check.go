package topic

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxBytes is the longest string that MQTT can carry (MQTT-4.7.3-3).
const maxBytes = 65535

// CheckName says why name cannot be a topic name; nil: it can. It must have 1 to 65,535 bytes (MQTT-4.7.3-1,
// MQTT-4.7.3-3) of well-formed UTF-8 (MQTT-1.5.4-1), no U+0000 (MQTT-4.7.3-2), and no wildcards (MQTT-4.7.1-1).
func CheckName(name string) error {
	if err := checkString("topic name", name); err != nil {
		return err
	}
	if i := strings.IndexAny(name, "+#"); i >= 0 {
		return refuse("topic name", name, "wildcard %q at byte %d; + and # are for filters only", name[i], i)
	}
	return nil
}

// CheckFilter says why filter cannot be a topic filter; nil: it can. Beside the rules for strings that CheckName keeps
// too, # must be the last level and alone in it (MQTT-4.7.1-1), + alone in its level (MQTT-4.7.1-2), and what begins
// with "$share/" must go on with a group that is not empty and has no wildcards, a slash, and a filter (MQTT-4.8.2-1,
// MQTT-4.8.2-2).
func CheckFilter(filter string) error {
	if err := checkString("topic filter", filter); err != nil {
		return err
	}
	rest := filter
	if after, found := strings.CutPrefix(filter, sharePrefix); found {
		group, inner, slash := strings.Cut(after, "/")
		switch {
		case group == "":
			return refuse("topic filter", filter, "no group name between $share/ and the next slash")
		case strings.ContainsAny(group, "+#"):
			return refuse("topic filter", filter, "wildcard in the group name of a shared subscription")
		case !slash || inner == "":
			return refuse("topic filter", filter, "no filter after the group name; write $share/<group>/<filter>")
		}
		rest = inner
	}
	if !strings.ContainsAny(rest, "+#") {
		return nil
	}
	for more := true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		if i := strings.IndexAny(level, "+#"); i >= 0 && len(level) > 1 {
			return refuse("topic filter", filter, "%q is not alone in its level", level[i])
		}
		if level == "#" && more {
			return refuse("topic filter", filter, "# is not the last level")
		}
	}
	return nil
}

// checkString keeps the rules that names and filters share.
func checkString(kind, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty; at least one byte is needed", kind)
	case len(s) > maxBytes:
		return refuse(kind, s, "%d bytes long; at most %d can be", len(s), maxBytes)
	case strings.IndexByte(s, 0) >= 0:
		return refuse(kind, s, "U+0000 at byte %d", strings.IndexByte(s, 0))
	case !utf8.ValidString(s):
		return refuse(kind, s, "not well-formed UTF-8")
	}
	return nil
}

// refuse makes the error for s, of which it shows a beginning that fits a line of a log.
func refuse(kind, s, format string, args ...any) error {
	const shown = 64
	dots := ""
	if len(s) > shown {
		s, dots = s[:shown], "…"
	}
	return fmt.Errorf("%s %q%s: "+format, append([]any{kind, s, dots}, args...)...)
}
