package access

import (
	"strings"

	"github.com/edged/edged/codec/topic"
)

// Grants are what one session may do. They do not change, and may be asked by many at once. A nil *Grants allows nothing.
type Grants struct {
	all                bool
	publish, subscribe []string
}

// Grants makes the grants of a session: user as Authenticate gave it, empty for an anonymous client, and the client
// identifier, the one the broker assigned if the client had none. They hold as long as the session's connection.
func (a *Access) Grants(user, clientID string) *Grants {
	if len(a.rules) == 0 {
		return &Grants{all: true}
	}
	for _, r := range a.rules {
		if r.User == "" || user != "" && like(r.User, user) {
			return &Grants{publish: expand(r.Publish, user, clientID), subscribe: expand(r.Subscribe, user, clientID)}
		}
	}
	return &Grants{}
}

// expand fills in the filters of a rule, and leaves out those that the client's own words would widen.
func expand(templates []string, user, clientID string) []string {
	values := strings.NewReplacer("{user}", user, "{client_id}", clientID) // in one pass: a value is not expanded again
	filters := make([]string, 0, len(templates))
	for _, t := range templates {
		if strings.Contains(t, "{user}") && !harmless(user) || strings.Contains(t, "{client_id}") && !harmless(clientID) {
			continue
		}
		filter := values.Replace(t)
		if strings.HasPrefix(filter, "$") && !strings.HasPrefix(t, "$") || topic.CheckFilter(filter) != nil {
			continue
		}
		filters = append(filters, filter)
	}
	return filters
}

// harmless says whether value can stand for a part of one level.
func harmless(value string) bool { return value != "" && !strings.ContainsAny(value, "+#/") }

// Publish says whether the session may publish to that topic name, also as a will.
func (g *Grants) Publish(name string) bool {
	return g != nil && !isSys(name) && (g.all || anyMatches(g.publish, name))
}

// Receive says whether a message on that topic name may be delivered to the session.
func (g *Grants) Receive(name string) bool {
	return g != nil && (g.all || anyMatches(g.subscribe, name))
}

// Subscribe says whether the session may subscribe to that topic filter; $share/<group>/<filter> is judged by its filter.
func (g *Grants) Subscribe(filter string) bool {
	if g == nil || g.all {
		return g != nil
	}
	_, filter, _ = topic.SplitShare(filter)
	for _, allowed := range g.subscribe {
		if covers(allowed, filter) {
			return true
		}
	}
	return false
}

func anyMatches(filters []string, name string) bool {
	for _, f := range filters {
		if topic.Match(f, name) {
			return true
		}
	}
	return false
}

func isSys(name string) bool { return name == "$SYS" || strings.HasPrefix(name, "$SYS/") }
