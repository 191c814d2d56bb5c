package broker

import (
	"fmt"
	"net"
	"strings"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/codec/topic"
)

// action is what a network client asks to do.
type action byte

const (
	toConnect action = iota
	toSend
	toSubscribe
)

// may is the one place that decides what a network client may do. object is a topic name or filter. The string says why
// not, and which setting would change it.
func (b *Broker) may(near bool, do action, object string) (mqtt.ReasonCode, string) {
	switch do {
	case toConnect:
		switch b.cfg.Anonymous {
		case Always:
			return mqtt.Success, ""
		case Loopback:
			if near {
				return mqtt.Success, ""
			}
			return mqtt.NotAuthorized, "anonymous clients may connect from this machine only; broker.anonymous: always lets them in from everywhere"
		}
		return mqtt.NotAuthorized, "anonymous clients are refused; broker.anonymous: loopback or always lets them in"
	case toSend:
		if isSys(object) {
			return mqtt.NotAuthorized, "only the broker publishes under $SYS"
		}
	case toSubscribe:
		if n := topic.Levels(object); n > b.cfg.Limits.TopicLevels {
			return mqtt.QuotaExceeded, fmt.Sprintf("the filter has %d levels; broker.limits.topic_levels is %d", n, b.cfg.Limits.TopicLevels)
		}
		if err := topic.CheckFilter(object); err != nil { // the parser leaves $share of 3.x alone
			return mqtt.TopicFilterInvalid, err.Error()
		}
	}
	return mqtt.Success, ""
}

func isSys(name string) bool { return name == "$SYS" || strings.HasPrefix(name, "$SYS/") }

func isLoopback(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
