package configs

import (
	"fmt"
	"net"
	"net/url"

	"github.com/edged/edged/buffer"
)

// Warnings are what is allowed and may yet not be what was meant, with their places. Call it once Check returned nil.
func (c *Config) Warnings() []*Error {
	var out []*Error
	warn := func(path, format string, args ...any) {
		out = append(out, c.errorAt(path, fmt.Sprintf(format, args...)))
	}
	for i, l := range c.Broker.Listeners {
		if problem := c.Broker.warning(l); problem != "" {
			warn(fmt.Sprintf("broker.listeners[%d].url", i), "%s", problem)
		}
	}
	for i, u := range c.Uplinks {
		path := fmt.Sprintf("uplinks[%d]", i)
		if len(u.Forward) == 0 && len(u.Receive) == 0 {
			warn(path, "has neither forward nor receive: it moves no messages")
		}
		for j, address := range u.URLs {
			if p, err := url.Parse(address); err == nil && (p.Scheme == "mqtt" || p.Scheme == "tcp") && !onLoopback(address) {
				warn(fmt.Sprintf("%s.urls[%d]", path, j), "without TLS: messages and the password can be read on their way; use mqtts://")
			}
		}
	}
	if c.Buffer.Sync != buffer.SyncAlways {
		warn("buffer.sync", "a power cut can take acknowledged messages, up to %v of them; use always to lose none", c.Buffer.Sync)
	}
	return out
}

// onLoopback says whether an address can be reached from this machine only. A name other than localhost may be anything.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || u.Scheme == "unix"
}
