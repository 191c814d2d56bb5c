package devices

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/edged/edged"
)

// order is a command as it came from the bus.
type order struct {
	msg edged.Message
	// refused: too many waited, so it is answered but not executed.
	refused bool
}

const (
	// maxWaiting is how many commands wait for the device; of those, the second half is refused, which keeps room for
	// answers.
	maxWaiting = 64
	// commandTimeout is how long the adapter may take for one.
	commandTimeout = 10 * time.Second
)

// take is the bus's handler: it does not block.
func (d *Device) take(m edged.Message) {
	d.mu.Lock()
	d.stats.Commands++
	d.mu.Unlock()
	select {
	case d.commands <- order{msg: m, refused: len(d.commands) >= maxWaiting/2}:
	default:
		d.unanswered(fmt.Errorf("%d commands wait already", maxWaiting))
	}
}

// execute executes commands one by one until ctx is done, and then refuses those that wait. Answers are published under
// last, which outlives ctx a little.
func (d *Device) execute(ctx, last context.Context) {
	for {
		select {
		case o := <-d.commands:
			d.handle(ctx, last, o)
		case <-ctx.Done():
			for {
				select {
				case o := <-d.commands:
					d.handle(ctx, last, o)
				default:
					return
				}
			}
		}
	}
}

// handle executes a command and publishes the answer.
func (d *Device) handle(ctx, last context.Context, o order) {
	name := strings.TrimSuffix(strings.TrimPrefix(o.msg.Topic, d.prefix), "/set")
	req, err := parseRequest(o.msg.Payload)
	var result Result
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = errors.New("edged is stopping; the command was not executed")
	case o.refused:
		err = errors.New("too many commands wait for this device; the command was not executed")
	case o.msg.Expired(time.Now()):
		err = errors.New("the command expired before it could be executed")
	default:
		result, err = d.command(ctx, Command{Point: name, Value: req.value, From: o.msg.From})
	}
	if err == nil {
		err = plain(result.Value)
	}
	log := d.log.With("point", name, "value", req.value, "from", o.msg.From, "id", req.id)
	if err == nil {
		log.Info("a command was executed", "result", result.Value)
	} else {
		log.Warn("a command failed", "error", err)
		d.mu.Lock()
		d.stats.Failed++
		d.mu.Unlock()
	}
	topic := o.msg.Topic + "/result"
	if err := d.bus.Publish(last, edged.Message{Topic: topic, Payload: answer(req.id, result, err), QoS: edged.AtLeastOnce}); err != nil {
		d.unanswered(err)
	}
}

// command hands a command to the adapter; a panic is an error like others.
func (d *Device) command(ctx context.Context, c Command) (r Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("the driver panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the driver %s panicked: %v", d.cfg.Driver, p)
		}
	}()
	commander, ok := d.adapter.(Commander)
	if !ok {
		return r, fmt.Errorf("the driver %s takes no commands", d.cfg.Driver)
	}
	if err := d.writable(c.Point); err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	return commander.Command(ctx, c)
}

// writable answers for the points that the adapter listed; of others only the adapter knows.
func (d *Device) writable(name string) error {
	p, known := d.listed[name]
	switch {
	case d.listed == nil:
		return nil
	case !known:
		return fmt.Errorf("the device has no point %q", name)
	case !p.Writable:
		return fmt.Errorf("the point %q is read only; to write it, configure it with writable: true", name)
	}
	return nil
}

// unanswered counts a command without an answer.
func (d *Device) unanswered(why error) {
	d.mu.Lock()
	d.stats.Unanswered++
	d.mu.Unlock()
	if held, ok := d.refused.allow(); ok {
		d.log.Warn("a command was not answered", "repeated", held, "error", why)
	}
}
