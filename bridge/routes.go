package bridge

import (
	"strings"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// route is a rule made ready.
type route struct {
	from   string
	to     template
	qos    edged.QoS
	maxAge time.Duration
}

// routes are rules in the order in which they are tried.
type routes []route

func (c Config) forwardRoutes(id string) (routes, error) {
	rs := make(routes, 0, len(c.Forward))
	for _, f := range c.Forward {
		t, err := parseTemplate(f.To, id)
		if err != nil {
			return nil, err
		}
		rs = append(rs, route{from: f.From, to: t, qos: f.QoS, maxAge: f.MaxAge})
	}
	return rs, nil
}

func (c Config) receiveRoutes(id string) (routes, error) {
	rs := make(routes, 0, len(c.Receive))
	for _, r := range c.Receive {
		t, err := parseTemplate(r.To, id)
		if err != nil {
			return nil, err
		}
		rs = append(rs, route{from: strings.ReplaceAll(r.From, "{id}", id), to: t, qos: r.QoS})
	}
	return rs, nil
}

// first is the number of the rule that decides about a topic; -1: none.
func (rs routes) first(name string) int {
	for i := range rs {
		if topic.Match(rs[i].from, name) {
			return i
		}
	}
	return -1
}

// target is the topic that the first matching rule makes of name; problem says why there is none.
func (rs routes) target(name string) (r *route, to, problem string) {
	i := rs.first(name)
	if i < 0 {
		return nil, "", "no-rule"
	}
	to, ok := rs[i].to.expand(name)
	if !ok || topic.CheckName(to) != nil {
		return nil, "", "no-topic"
	}
	return &rs[i], to, ""
}
