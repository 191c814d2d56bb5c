package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/codec/topic"
)

// subFlags are the options of sub.
type subFlags struct {
	connectFlags
	filters         []string
	qos             uint8
	count           int
	wait            float64
	verbose, asJSON bool
}

func (a *app) subCommand() *cobra.Command {
	var f subFlags
	cmd := &cobra.Command{
		Use:   "sub -t FILTER...",
		Short: "Print messages from an MQTT broker",
		Long: `Sub subscribes to topic filters and prints the messages that arrive, one a line, until it is interrupted,
or has as many as -C says. With -W it gives up after that many seconds, with exit code 6.`,
		Example: `  edged sub -t '#' -v
  edged sub -t 'devices/+/voltage' -C 10 --json
  edged sub -h mqtt://other:1883 -t sensors/a -C 1 -W 5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer cancel()
			return a.sub(ctx, &f)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.filters, "topic", "t", nil, "topic `filter`; may be given several times")
	flags.Uint8VarP(&f.qos, "qos", "q", 0, "highest quality of `service`: 0, 1 or 2")
	flags.IntVarP(&f.count, "count", "C", 0, "end after `n` messages (default: never)")
	flags.Float64VarP(&f.wait, "wait", "W", 0, "give up after `seconds` (default: never)")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "print the topic before the message")
	flags.BoolVar(&f.asJSON, "json", false, "print each message as an object: topic, payload (or payload_base64), qos, retain, time")
	if err := cmd.MarkFlagRequired("topic"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func (a *app) sub(ctx context.Context, f *subFlags) (err error) {
	if f.count < 0 || f.wait < 0 {
		return usage(errors.New("-C and -W take no negative numbers"))
	}
	if err := checkQoS(f.qos); err != nil {
		return err
	}
	filters := make([]mqtt.Filter, len(f.filters))
	for i, filter := range f.filters {
		if err := topic.CheckFilter(filter); err != nil {
			return usage(fmt.Errorf("filter %q: %w", filter, err))
		}
		filters[i] = mqtt.Filter{Filter: filter, QoS: f.qos}
	}
	var giveUp <-chan time.Time
	if f.wait > 0 {
		timer := time.NewTimer(time.Duration(min(f.wait, 1e9) * float64(time.Second)))
		defer timer.Stop()
		giveUp = timer.C
	}
	c, err := f.dial(ctx, a)
	if err != nil {
		return err
	}
	subscribed := make(chan error, 1)
	var asking sync.WaitGroup
	asking.Go(func() { // messages may come before the SUBACK, and are to be read meanwhile
		_, err := c.Subscribe(ctx, filters...)
		subscribed <- err
	})
	defer func() {
		err = errors.Join(err, c.Disconnect(mqtt.Success))
		asking.Wait()
	}()
	out := bufio.NewWriter(a.out)
	for n := 0; f.count == 0 || n < f.count; {
		select {
		case m, ok := <-c.Messages():
			if !ok {
				return lost(c)
			}
			if err := errors.Join(f.print(out, m), out.Flush()); err != nil {
				return err
			}
			n++
		case err := <-subscribed:
			if err != nil {
				return err
			}
			f.say(a, "subscribed")
		case <-giveUp:
			return &codedError{exitTimeout, fmt.Errorf("timed out after %g seconds, with %d messages", f.wait, n)}
		case <-ctx.Done():
			return nil // interrupted, which is how it ends without -C
		}
	}
	return nil
}

// message is one line of sub --json.
type message struct {
	Topic   string    `json:"topic"`
	Payload *string   `json:"payload,omitempty"`
	Base64  []byte    `json:"payload_base64,omitempty"`
	QoS     byte      `json:"qos"`
	Retain  bool      `json:"retain"`
	Time    time.Time `json:"time"`
}

func (f *subFlags) print(out *bufio.Writer, m mqtt.Publish) error {
	if f.asJSON {
		line := message{Topic: m.Topic, QoS: m.QoS, Retain: m.Retain, Time: time.Now().UTC()}
		if utf8.Valid(m.Payload) {
			text := string(m.Payload)
			line.Payload = &text
		} else {
			line.Base64 = m.Payload
		}
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return enc.Encode(line)
	}
	if f.verbose {
		if _, err := out.WriteString(m.Topic + " "); err != nil {
			return err
		}
	}
	_, err := out.Write(append(m.Payload, '\n'))
	return err
}
