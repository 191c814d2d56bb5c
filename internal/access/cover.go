package access

import "strings"

// covers says whether the filter allowed matches every name that asked matches. Both are well formed, without $share.
func covers(allowed, asked string) bool {
	if asked == "#" {
		asked = "+/#" // the same names (a name has at least one level), and one case less below
	}
	if strings.HasPrefix(asked, "$") && (strings.HasPrefix(allowed, "+") || strings.HasPrefix(allowed, "#")) {
		return false // MQTT-4.7.2-1
	}
	for {
		have, allowedRest, allowedMore := strings.Cut(allowed, "/")
		if have == "#" && !allowedMore {
			return true
		}
		want, askedRest, askedMore := strings.Cut(asked, "/")
		if want == "#" && !askedMore {
			return false // it matches what ends here too, and names of any length: only # does
		}
		if have != "+" && have != want {
			return false
		}
		if !askedMore {
			return !allowedMore || allowedRest == "#"
		}
		if !allowedMore {
			return false
		}
		allowed, asked = allowedRest, askedRest
	}
}

// like says whether name matches a pattern in which * stands for any characters, none included. It takes time in
// proportion to the product of their lengths at most.
func like(pattern, name string) bool {
	p, n := 0, 0
	star, from := -1, 0 // the last * seen, and where in name what it stands for ends for now
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
