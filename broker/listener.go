package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// listen opens all listeners, or none.
func (b *Broker) listen(ctx context.Context) ([]net.Listener, error) {
	var open []net.Listener
	for i, l := range b.cfg.Listeners {
		addr, err := l.address(fmt.Sprintf("listeners[%d].url", i))
		if err == nil {
			var ln net.Listener
			if ln, err = new(net.ListenConfig).Listen(ctx, "tcp", addr); err == nil {
				open = append(open, ln)
				continue
			}
		}
		for _, ln := range open {
			_ = ln.Close() // nobody has seen it
		}
		return nil, fmt.Errorf("listen on %s: %w; choose another address in broker.listeners, or stop who uses it", l.URL, err)
	}
	return open, nil
}

// accept takes connections until the listener is closed. A fault such as too many open files is waited out.
func (b *Broker) accept(l net.Listener) {
	for wait := time.Duration(0); ; {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			b.log.Error("accept failed; trying again", "address", l.Addr().String(), "error", err, "in", wait)
			select {
			case <-time.After(wait):
			case <-b.stopped:
				return
			}
			continue
		}
		wait = 0
		b.admit(nc)
	}
}
