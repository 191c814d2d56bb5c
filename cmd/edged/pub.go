package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/codec/topic"
	"github.com/edged/edged/internal/client"
)

// maxPayload is the longest message that pub sends: what one packet can hold (MQTT 5.0 §2.1.4), less its topic.
const maxPayload = mqtt.MaxLength - 2 - 65535 - 2

// pubFlags are the options of pub.
type pubFlags struct {
	connectFlags
	topic, message, file string
	lines, empty, retain bool
	qos                  uint8
}

func (a *app) pubCommand() *cobra.Command {
	var f pubFlags
	cmd := &cobra.Command{
		Use:   "pub -t TOPIC (-m MESSAGE | -l | -f FILE | -n)",
		Short: "Publish messages to an MQTT broker",
		Long: `Pub publishes one message, or one for each line of its standard input, and ends when the broker has
acknowledged all of them (QoS 1 and 2). Without an address it speaks to the edged on this machine.`,
		Example: `  edged pub -t sensors/a -m 21.5 -q 1
  tail -f readings.txt | edged pub -t sensors/b -l -q 1
  edged pub -t sensors/a -n -r        # removes the retained message`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer cancel()
			return a.pub(ctx, &f)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.topic, "topic", "t", "", "`topic` to publish to")
	flags.StringVarP(&f.message, "message", "m", "", "the `message`")
	flags.BoolVarP(&f.lines, "lines", "l", false, "a message for each line of the standard input")
	flags.StringVarP(&f.file, "file", "f", "", "the message is the content of `file`, - for the standard input")
	flags.BoolVarP(&f.empty, "null", "n", false, "an empty message")
	flags.Uint8VarP(&f.qos, "qos", "q", 0, "quality of `service`: 0, 1 or 2")
	flags.BoolVarP(&f.retain, "retain", "r", false, "the broker is to keep it as the topic's last value")
	cmd.MarkFlagsOneRequired("message", "lines", "file", "null")
	cmd.MarkFlagsMutuallyExclusive("message", "lines", "file", "null")
	if err := cmd.MarkFlagRequired("topic"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func (a *app) pub(ctx context.Context, f *pubFlags) (err error) {
	if err := topic.CheckName(f.topic); err != nil {
		return usage(fmt.Errorf("topic: %w", err))
	}
	if err := checkQoS(f.qos); err != nil {
		return err
	}
	if f.passwordFile == "-" && (f.lines || f.file == "-") {
		return usage(errors.New("-P - and the messages both want the standard input; give the password in a file or in $EDGED_PASSWORD"))
	}
	payload := []byte(f.message)
	if f.file != "" {
		if payload, err = a.readPayload(f.file); err != nil {
			return err
		}
	}
	c, err := f.dial(ctx, a)
	if err != nil {
		return err
	}
	drained := make(chan struct{})
	go func() { // nobody asked for messages, but unread they would block the acknowledgements
		defer close(drained)
		for range c.Messages() {
		}
	}()
	defer func() {
		err = errors.Join(err, c.Disconnect(mqtt.Success))
		<-drained
	}()
	if f.lines {
		return f.publishLines(ctx, a, c)
	}
	return f.publish(ctx, a, c, payload)
}

func (a *app) readPayload(name string) ([]byte, error) {
	in := a.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPayload+1))
	if err == nil && len(data) > maxPayload {
		err = fmt.Errorf("%s is longer than an MQTT message can be (%d bytes)", name, maxPayload)
	}
	return data, err
}

// publishLines sends line by line; a reader that waits for input goes on when the broker is gone.
func (f *pubFlags) publishLines(ctx context.Context, a *app, c *client.Client) error {
	lines, failed := make(chan []byte), make(chan error, 1)
	go func() { // ends with the process: nothing can interrupt a read of the standard input
		scan := bufio.NewScanner(a.in)
		scan.Buffer(make([]byte, 0, 64<<10), 16<<20)
		for scan.Scan() {
			lines <- append([]byte(nil), scan.Bytes()...)
		}
		failed <- scan.Err()
	}()
	for {
		select {
		case line := <-lines:
			if err := f.publish(ctx, a, c, line); err != nil {
				return err
			}
		case err := <-failed:
			return err
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-c.Done():
			return lost(c)
		}
	}
}

func (f *pubFlags) publish(ctx context.Context, a *app, c *client.Client, payload []byte) error {
	code, err := c.Publish(ctx, mqtt.Publish{Topic: f.topic, Payload: payload, QoS: f.qos, Retain: f.retain})
	if err != nil {
		return err
	}
	if f.qos > 0 {
		f.say(a, "acknowledged: %s", code)
	} else {
		f.say(a, "sent")
	}
	return nil
}

// lost says why a connection ended.
func lost(c *client.Client) error {
	if err := c.Err(); err != nil {
		return fmt.Errorf("the connection was lost: %w", err)
	}
	return errors.New("the connection was lost")
}
