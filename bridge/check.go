package bridge

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/topic"
)

// Check reports everything that is wrong, each as an *edged.KeyError. It reads no files.
func (c Config) Check() error {
	var p problems
	p.name(c.Name)
	if len(c.URLs) == 0 {
		p.add("urls", "is missing; write the server's address, such as mqtts://cloud.example.com:8883")
	}
	for i, u := range c.URLs {
		if _, err := parseURL(u); err != nil {
			p.add(fmt.Sprintf("urls[%d]", i), "%v", err)
		}
	}
	switch c.Protocol {
	case "3.1.1":
	case "5":
		p.add("protocol", `"5" is not in this version of edged; use "3.1.1"`)
	default:
		p.add("protocol", `%q is not a version of MQTT; use "3.1.1"`, c.Protocol)
	}
	p.placeholders("client_id", c.ClientID)
	if c.ClientID == "" {
		p.add("client_id", "is empty; a session that survives a disconnect needs a name, such as {id}")
	}
	if c.PasswordFile != "" && c.Username == "" {
		p.add("username", "is missing; a password needs one (MQTT-3.1.2-22)")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		p.add("tls", "has a cert or a key without the other; a certificate of one's own needs both")
	}
	p.within("keep_alive", c.KeepAlive, 5*time.Second, 65535*time.Second)
	p.within("connect_timeout", c.ConnectTimeout, time.Second, 5*time.Minute)
	p.within("ack_timeout", c.AckTimeout, time.Second, time.Hour)
	p.count("inflight", int64(c.Inflight), 1, maxInflight)
	p.count("packet_bytes", int64(c.PacketBytes), 1024, 256<<20)
	c.checkForward(&p)
	c.checkReceive(&p)
	c.checkRest(&p)
	return errors.Join(p.errs...)
}

func (c Config) checkForward(p *problems) {
	var froms []string
	for i, f := range c.Forward {
		key := fmt.Sprintf("forward[%d]", i)
		froms = append(froms, f.From)
		p.rule(key, froms, f.To)
		if f.QoS > edged.ExactlyOnce {
			p.add(key+".qos", "%d is not a quality of service; use 0, 1 or 2", f.QoS)
		}
		if f.MaxAge < 0 {
			p.add(key+".max_age", "%s is negative; write a duration such as 168h, or 0 for any age", f.MaxAge)
		}
	}
}

func (c Config) checkReceive(p *problems) {
	var froms []string
	for i, r := range c.Receive {
		key := fmt.Sprintf("receive[%d]", i)
		p.placeholders(key+".from", r.From)
		froms = append(froms, strings.ReplaceAll(r.From, "{id}", "id"))
		p.rule(key, froms, r.To)
		switch {
		case r.QoS == edged.ExactlyOnce:
			p.add(key+".qos", "2 is not kept for what comes down: a power cut could double a command; use 1, and make commands harmless when repeated")
		case r.QoS > edged.ExactlyOnce:
			p.add(key+".qos", "%d is not a quality of service; use 0 or 1", r.QoS)
		}
	}
}

func (c Config) checkRest(p *problems) {
	if c.Buffer.MaxBytes <= 0 {
		p.add("buffer.max_bytes", "%d is not a bound; write a size such as 256MiB", int64(c.Buffer.MaxBytes))
	}
	if !slices.Contains([]edged.FullPolicy{edged.DropOldest, edged.DropNewest, edged.Refuse}, c.Buffer.WhenFull) {
		p.add("buffer.when_full", "%q is not a policy; use drop-oldest, drop-newest or refuse", c.Buffer.WhenFull)
	}
	switch c.Drain.Order {
	case "in-order":
	case "live-first":
		p.add("drain.order", "live-first is not in this version of edged; use in-order")
	default:
		p.add("drain.order", "%q is not an order; use in-order", c.Drain.Order)
	}
	p.count("drain.max_rate", int64(c.Drain.MaxRate), 0, 1_000_000)
	if c.Liveness.Topic != "" {
		p.placeholders("liveness.topic", c.Liveness.Topic)
		if err := topic.CheckName(strings.ReplaceAll(c.Liveness.Topic, "{id}", "id")); err != nil {
			p.add("liveness.topic", "%v", err)
		}
	}
	if c.Liveness.Every != 0 {
		p.within("liveness.every", c.Liveness.Every, time.Second, 24*time.Hour)
	}
}

// problems gathers what Check finds.
type problems struct{ errs []error }

func (p *problems) add(key, format string, args ...any) {
	p.errs = append(p.errs, edged.BadKey(key, format, args...))
}

func (p *problems) within(key string, d, lowest, highest time.Duration) {
	if d < lowest || d > highest {
		p.add(key, "%s is out of range; use %s to %s", d, lowest, highest)
	}
}

func (p *problems) count(key string, n, lowest, highest int64) {
	if n < lowest || n > highest {
		p.add(key, "%d is out of range; use %d to %d", n, lowest, highest)
	}
}

func (p *problems) name(name string) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	if name == "" || len(name) > 64 || strings.Trim(name, letters) != "" {
		p.add("name", "%q is not a name; use 1 to 64 letters, digits, '-', '_' or '.'", name)
	}
}

// placeholders refuses all but {id} in s.
func (p *problems) placeholders(key, s string) {
	if strings.ContainsAny(strings.ReplaceAll(s, "{id}", ""), "{}") {
		p.add(key, "%q holds braces other than {id}, the only placeholder known here", s)
	}
}

// rule checks the last of froms, and the template to.
func (p *problems) rule(key string, froms []string, to string) {
	last := len(froms) - 1
	from := froms[last]
	if err := topic.CheckFilter(from); err != nil {
		p.add(key+".from", "%v", err)
		return
	}
	if _, _, shared := topic.SplitShare(from); shared {
		p.add(key+".from", "%q is a shared subscription; use the filter alone", from)
		return
	}
	for i, earlier := range froms[:last] {
		if covers(earlier, from) {
			p.add(key+".from", "%q never matches: the rule before it, number %d, %q, takes all of it; put the narrower rule first", from, i+1, earlier)
			break
		}
	}
	p.target(key+".to", from, to)
}

// target checks a template against the filter that feeds it.
func (p *problems) target(key, from, to string) {
	t, err := parseTemplate(to, "id")
	if err != nil {
		p.add(key, "%v", err)
		return
	}
	sample, ok := t.expand(strings.NewReplacer("+", "x", "#", "x"+strings.Repeat("/x", t.skip())).Replace(from))
	if !ok {
		p.add(key, "{topic:%d} leaves nothing of %q, which has %d levels", t.skip(), from, topic.Levels(from))
		return
	}
	if err := topic.CheckName(sample); err != nil {
		p.add(key, "does not make a topic: %v", err)
	}
}

// covers says whether every topic that filter b matches is matched by a, too.
func covers(a, b string) bool {
	if strings.HasPrefix(b, "$") && (strings.HasPrefix(a, "+") || strings.HasPrefix(a, "#")) {
		return false
	}
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i, level := range as {
		switch {
		case level == "#":
			return true // also when b ended one level above: "a/#" matches "a"
		case i == len(bs):
			return false
		case bs[i] == "#" || level != "+" && level != bs[i]:
			return false
		}
	}
	return len(as) == len(bs)
}

// parseURL checks a server's address and gives it its canonical scheme, mqtt or mqtts, and its port.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address; write one such as mqtts://cloud.example.com:8883", s)
	}
	var port string
	switch u.Scheme {
	case "mqtt", "tcp":
		u.Scheme, port = "mqtt", "1883"
	case "mqtts", "ssl", "tls":
		u.Scheme, port = "mqtts", "8883"
	case "ws", "wss":
		return nil, fmt.Errorf("%s is not in this version of edged; use mqtt or mqtts", u.Scheme)
	default:
		return nil, fmt.Errorf("%q is not a scheme; use mqtt or mqtts, as in mqtts://cloud.example.com:8883", u.Scheme)
	}
	switch {
	case u.User != nil:
		return nil, errors.New("holds a user name; write username and password_file instead")
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q has no host; write an address such as mqtts://cloud.example.com:8883", s)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q has something after its port, which means nothing to MQTT", s)
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("%q is not a port; use 1 to 65535", p)
		}
		port = p
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return &url.URL{Scheme: u.Scheme, Host: host + ":" + port}, nil
}
