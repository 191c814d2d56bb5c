package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/edged/edged"
	"github.com/edged/edged/codec/mqtt"
)

// A retained message's record:
//
//	format 1 | time, unix nanoseconds, 8 bytes | QoS | length of From, 2 bytes | From | PUBLISH as version 5 writes it
const (
	recordFormat = 1
	recordHead   = 1 + 8 + 1 + 2
)

func appendMessage(dst []byte, m *edged.Message) []byte {
	start := len(dst)
	from := m.From[:min(len(m.From), 1<<16-1)]
	dst = append(dst, recordFormat)
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Time.UnixNano()))
	dst = append(dst, byte(m.QoS))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(from)))
	dst = append(dst, from...)
	p := toPublish(m, mqtt.V5, nil, m.Time)
	p.Retain = true
	out, err := p.Append(dst, mqtt.V5)
	if err != nil {
		return dst[:start] // cannot be sent either, which route has logged
	}
	return out
}

func parseMessage(b []byte) (m edged.Message, err error) {
	if len(b) < recordHead {
		return m, fmt.Errorf("%d bytes, want %d or more", len(b), recordHead)
	}
	if b[0] != recordFormat || b[9] > byte(edged.ExactlyOnce) {
		return m, fmt.Errorf("format %d, QoS %d: not written by this version", b[0], b[9])
	}
	m.Time = time.Unix(0, int64(binary.BigEndian.Uint64(b[1:])))
	m.QoS = edged.QoS(b[9])
	n := int(binary.BigEndian.Uint16(b[10:]))
	b = b[recordHead:]
	if len(b) < n {
		return m, errors.New("cut short")
	}
	m.From = string(b[:n])
	b = b[n:]
	h, n, err := mqtt.ParseHeader(b)
	if err != nil {
		return m, err
	}
	if n == 0 || h.Type != mqtt.PUBLISH || h.Length != len(b)-n {
		return m, errors.New("not one PUBLISH packet")
	}
	var p mqtt.Publish
	body := append([]byte(nil), b[n:]...)
	if err := p.Parse(h.Flags, body, mqtt.V5); err != nil {
		return m, err
	}
	if p.Topic == "" {
		return m, errors.New("a topic alias instead of a topic")
	}
	m.Topic, m.Payload, m.Retain, m.Props = p.Topic, p.Payload, true, fromProperties(p.Properties)
	return m, nil
}
