package mqtt

import "strings"

// checkTopicName checks what makes a topic name more than a string (MQTT 5.0 §4.7); reader and writer check the rest.
func checkTopicName(t Type, what, s, wildcardStatement string) *Error {
	switch {
	case s == "":
		return refuse(TopicNameInvalid, "MQTT-4.7.3-1", "%s: the %s is empty; it must have at least one character", t, what)
	case strings.IndexByte(s, '#') >= 0 || strings.IndexByte(s, '+') >= 0:
		return refuse(TopicNameInvalid, wildcardStatement, "%s: the %s %q contains a wildcard; those are for topic filters", t, what, clip(s))
	}
	return nil
}

// sharePrefix begins the filter of a shared subscription, in version 5 (MQTT 5.0 §4.8.2).
const sharePrefix = "$share/"

// checkTopicFilter checks what makes a topic filter more than a string (MQTT 5.0 §4.7.1, §4.8.2).
func checkTopicFilter(t Type, filter string, v Version) *Error {
	bad := func(statement, problem string) *Error {
		return refuse(TopicFilterInvalid, statement, "%s: the topic filter %q %s", t, clip(filter), problem)
	}
	rest := filter
	if shared, ok := strings.CutPrefix(filter, sharePrefix); ok && v == V5 {
		name, after, found := strings.Cut(shared, "/")
		switch {
		case name == "":
			return bad("MQTT-4.8.2-1", "has no share name; write $share/<name>/<filter>")
		case strings.ContainsAny(name, "+#"):
			return bad("MQTT-4.8.2-2", "has a wildcard in its share name")
		case !found || after == "":
			return bad("MQTT-4.8.2-2", "has no filter after its share name; write $share/<name>/<filter>")
		}
		rest = after
	}
	if rest == "" {
		return bad("MQTT-4.7.3-1", "is empty; it must have at least one character")
	}
	if i := strings.IndexByte(rest, '#'); i >= 0 && (i != len(rest)-1 || i > 0 && rest[i-1] != '/') {
		return bad("MQTT-4.7.1-1", "has # where it may not be; it is the last level, and alone in it")
	}
	for i := 0; i < len(rest); i++ {
		if rest[i] == '+' && (i > 0 && rest[i-1] != '/' || i+1 < len(rest) && rest[i+1] != '/') {
			return bad("MQTT-4.7.1-2", "has + beside other characters; it must be alone in its level")
		}
	}
	return nil
}

// clip shortens what goes into an error: a topic may have 65,535 bytes, a log line should not.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
