package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// listen opens all listeners, or none.
func (b *Broker) listen(ctx context.Context) ([]*way, error) {
	var open []*way
	for i, l := range b.cfg.Listeners {
		w, err := b.openWay(ctx, l, fmt.Sprintf("broker.listeners[%d]", i))
		if err == nil {
			open = append(open, w)
			continue
		}
		for _, w := range open {
			_ = w.Close() // nobody has seen it
		}
		return nil, err
	}
	return open, nil
}

func (b *Broker) openWay(ctx context.Context, l Listener, key string) (w *way, err error) {
	w = &way{cfg: l, key: key}
	if w.endpoint, err = l.endpoint(key + ".url"); err != nil {
		return nil, err
	}
	if w.secure() {
		if w.certs, err = openTLS(l.TLS, b.log); err != nil {
			return nil, fmt.Errorf("listen on %s: %s.%w", l.URL, key, err)
		}
	}
	if w.network == "unix" {
		w.Listener, err = listenUnix(ctx, w.address, l.Mode.perm())
	} else {
		w.Listener, err = new(net.ListenConfig).Listen(ctx, w.network, w.address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another address in broker.listeners, or stop who uses it", l.URL, err)
	}
	return w, nil
}

// accept takes connections until the listener is closed. A fault such as too many open files is waited out.
func (b *Broker) accept(l *way) {
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
		b.admit(nc, l)
	}
}

// listenUnix opens a socket in the file system. A file that is left of a process which died is replaced: nobody answers there.
func listenUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if gone := removeStale(ctx, path); gone != nil {
			return nil, gone
		}
		l, err = new(net.ListenConfig).Listen(ctx, "unix", path)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there, and is no socket", path)
	}
	nc, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("%s: %w", path, syscall.EADDRINUSE), nc.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("is anybody at %s? %w", path, err)
	}
	return os.Remove(path)
}
