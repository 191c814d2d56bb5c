package topic

import "strings"

const sharePrefix = "$share/"

// SplitShare takes a shared subscription's filter "$share/<group>/<rest>" apart (MQTT 5.0 §4.8.2). Of any other filter,
// shared is false and rest the whole of it. filter is one that CheckFilter accepts.
func SplitShare(filter string) (group, rest string, shared bool) {
	after, found := strings.CutPrefix(filter, sharePrefix)
	if !found {
		return "", filter, false
	}
	group, rest, _ = strings.Cut(after, "/")
	return group, rest, true
}

// Levels counts the levels of a name or a filter: one more than it has slashes.
func Levels(s string) int { return strings.Count(s, "/") + 1 }

// Match says whether filter matches name: a filter that CheckFilter accepts, without its $share part, and a name that
// CheckName accepts. It takes time in proportion to the shorter one and allocates nothing.
func Match(filter, name string) bool {
	if hidden(name) && (strings.HasPrefix(filter, "+") || strings.HasPrefix(filter, "#")) {
		return false
	}
	for {
		want, filterRest, filterMore := strings.Cut(filter, "/")
		if want == "#" && !filterMore {
			return true
		}
		level, nameRest, nameMore := strings.Cut(name, "/")
		if want != "+" && want != level {
			return false
		}
		if !nameMore {
			return !filterMore || filterRest == "#"
		}
		if !filterMore {
			return false
		}
		filter, name = filterRest, nameRest
	}
}

// hidden says whether wildcards in the first level pass by s, a name or its first level (MQTT-4.7.2-1).
func hidden(s string) bool { return strings.HasPrefix(s, "$") }
