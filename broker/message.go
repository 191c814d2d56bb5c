package broker

import (
	"slices"
	"strings"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// endToEnd are the properties of a PUBLISH that travel to its subscribers (MQTT-3.3.2-4, -15, -16, -17, -18, -20).
const endToEnd = mqtt.PayloadFormatIndicator | mqtt.MessageExpiryInterval | mqtt.ContentType | mqtt.ResponseTopic | mqtt.CorrelationData

// fromProperties takes over what travels end to end, in memory of its own; nil: nothing does.
func fromProperties(p *mqtt.Properties) *edged.Properties {
	if p == nil || p.Has&endToEnd == 0 && len(p.User) == 0 {
		return nil
	}
	out := &edged.Properties{
		HasPayloadFormat: p.Has&mqtt.PayloadFormatIndicator != 0,
		PayloadFormat:    p.PayloadFormatIndicator,
		HasExpiry:        p.Has&mqtt.MessageExpiryInterval != 0,
		Expiry:           p.MessageExpiryInterval,
		HasContentType:   p.Has&mqtt.ContentType != 0,
		ContentType:      strings.Clone(p.ContentType),
		ResponseTopic:    strings.Clone(p.ResponseTopic),
		CorrelationData:  slices.Clone(p.CorrelationData),
	}
	for _, u := range p.User {
		out.User = append(out.User, edged.UserProperty{Name: strings.Clone(u.Name), Value: strings.Clone(u.Value)})
	}
	return out
}

// toPublish makes the packet for a subscriber; QoS, RETAIN and packet identifier are set by whoever sends it. The expiry
// interval is what is left of it at now (MQTT-3.3.2-6).
func toPublish(m *edged.Message, v mqtt.Version, ids []uint32, now time.Time) mqtt.Publish {
	p := mqtt.Publish{Topic: m.Topic, Payload: m.Payload}
	if v != mqtt.V5 || m.Props == nil && len(ids) == 0 {
		return p
	}
	p.Properties = &mqtt.Properties{SubscriptionIdentifiers: ids}
	if m.Props == nil {
		return p
	}
	in, out := m.Props, p.Properties
	if in.HasPayloadFormat {
		out.Has |= mqtt.PayloadFormatIndicator
		out.PayloadFormatIndicator = in.PayloadFormat
	}
	if in.HasExpiry {
		out.Has |= mqtt.MessageExpiryInterval
		left := time.Duration(in.Expiry)*time.Second - now.Sub(m.Time)
		out.MessageExpiryInterval = min(uint32(max(left, 0)/time.Second), in.Expiry)
	}
	if in.HasContentType {
		out.Has |= mqtt.ContentType
		out.ContentType = in.ContentType
	}
	if in.ResponseTopic != "" {
		out.Has |= mqtt.ResponseTopic
		out.ResponseTopic = in.ResponseTopic
	}
	if in.CorrelationData != nil {
		out.Has |= mqtt.CorrelationData
		out.CorrelationData = in.CorrelationData
	}
	for _, u := range in.User {
		out.User = append(out.User, mqtt.UserProperty(u))
	}
	return p
}
