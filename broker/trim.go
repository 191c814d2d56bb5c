package broker

import "github.com/edged/edged/codec/mqtt"

// trim takes away what a packet may do without where the client has no room for it (MQTT-3.2.2-19, MQTT-3.4.2-2 and their like);
// false: there is nothing of that.
func trim(p mqtt.Packet) bool {
	var props *mqtt.Properties
	switch p := p.(type) {
	case *mqtt.Connack:
		props = p.Properties
	case *mqtt.Puback:
		props = p.Properties
	case *mqtt.Pubrec:
		props = p.Properties
	case *mqtt.Suback:
		props = p.Properties
	case *mqtt.Unsuback:
		props = p.Properties
	case *mqtt.Disconnect:
		props = p.Properties
	case *mqtt.Auth:
		props = p.Properties
	}
	if props == nil || props.Has&mqtt.ReasonString == 0 {
		return false
	}
	props.Has &^= mqtt.ReasonString
	props.ReasonString = ""
	return true
}
