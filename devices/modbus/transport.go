package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// The MODBUS application protocol header: transaction identifier, protocol identifier (0), length of what follows,
// unit identifier.
const (
	headerSize = 7
	maxLength  = 254 // of unit identifier and PDU
)

// transport carries one request at a time over one TCP connection, which it makes when there is none. It gives goburrow's
// client nothing but the reply to its request: every other frame is discarded, and a connection that did anything else is
// closed.
type transport struct {
	address              string
	timeout              time.Duration
	pauseAfterConnect    time.Duration
	pauseBetweenRequests time.Duration

	ctx  context.Context // of the request at hand
	conn net.Conn
	id   uint16 // of the last transaction; it goes on with the next connection, lest a late reply from before match
	last time.Time

	requests, connects, foreign, broken atomic.Uint64
}

// dialError: there was no connection, so nothing was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// Send sends a request and returns the reply to it. The transaction identifier in request is overwritten.
func (t *transport) Send(request []byte) ([]byte, error) {
	if t.conn != nil && stale(t.conn) {
		t.close()
	}
	if t.conn == nil {
		if err := t.connect(); err != nil {
			return nil, err
		}
	} else if wait := t.pauseBetweenRequests - time.Since(t.last); wait > 0 {
		if err := sleep(t.ctx, wait); err != nil {
			return nil, dialError{err}
		}
	}
	t.id++
	binary.BigEndian.PutUint16(request, t.id)
	t.requests.Add(1)
	reply, err := t.exchange(request)
	t.last = time.Now()
	if err != nil {
		t.close()
		if t.ctx.Err() != nil {
			return nil, t.ctx.Err()
		}
		t.broken.Add(1)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("no reply within %s", t.timeout)
		} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the device closed the connection instead of a reply")
		}
		return nil, err
	}
	return reply, nil
}

// connect makes a connection.
func (t *transport) connect() error {
	ctx, cancel := context.WithTimeout(t.ctx, t.timeout)
	defer cancel()
	t.connects.Add(1)
	conn, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, "tcp", t.address)
	if err != nil {
		if t.ctx.Err() == nil && ctx.Err() != nil {
			err = fmt.Errorf("no connection to %s within %s", t.address, t.timeout)
		}
		return dialError{err}
	}
	t.conn = conn
	if err := sleep(t.ctx, t.pauseAfterConnect); err != nil {
		return dialError{err}
	}
	return nil
}

// close closes the connection; the next request makes a new one.
func (t *transport) close() {
	if t.conn != nil {
		_ = t.conn.Close() // nothing is lost by what it could say
		t.conn = nil
	}
}

// exchange writes a request and reads until its reply. An error means that the connection must not be used again.
func (t *transport) exchange(request []byte) ([]byte, error) {
	conn := t.conn
	if err := conn.SetDeadline(time.Now().Add(t.timeout)); err != nil {
		return nil, err
	}
	// The past as deadline ends a read at once.
	defer context.AfterFunc(t.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	for {
		reply, err := readFrame(conn)
		if err != nil {
			return nil, err
		}
		if binary.BigEndian.Uint16(reply) != binary.BigEndian.Uint16(request) || reply[6] != request[6] {
			t.foreign.Add(1)
			continue // late, or not ours; the deadline bounds how many
		}
		return reply, verify(request[headerSize:], reply[headerSize:])
	}
}

// readFrame reads one frame, and nothing after it.
func readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, headerSize, headerSize+maxLength)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	protocol, length := binary.BigEndian.Uint16(frame[2:]), int(binary.BigEndian.Uint16(frame[4:]))
	if protocol != 0 || length < 2 || length > maxLength {
		return nil, fmt.Errorf("the device sent a header that is not Modbus: % x", frame)
	}
	frame = frame[:headerSize-1+length]
	_, err := io.ReadFull(r, frame[headerSize:])
	return frame, err
}

// verify checks that the PDU reply can be the answer to request: its function, and every length and echo in it.
func verify(request, reply []byte) error {
	function := request[0]
	if reply[0] == function|0x80 && len(reply) == 2 {
		return nil // an exception
	}
	if reply[0] != function {
		return fmt.Errorf("the device answered function %d with function %d", function, reply[0])
	}
	quantity := int(binary.BigEndian.Uint16(request[3:]))
	var want int
	switch function {
	case 1, 2:
		want = (quantity + 7) / 8
	case 3, 4:
		want = 2 * quantity
	default: // the writes 5, 6, 15, 16 echo address and value, or quantity
		if len(reply) != 5 || string(reply[1:]) != string(request[1:5]) {
			return fmt.Errorf("the device answered function %d with another address or value: % x", function, reply)
		}
		return nil
	}
	if len(reply) != 2+want || int(reply[1]) != want {
		return fmt.Errorf("the device answered function %d with %d bytes instead of %d", function, len(reply)-2, want)
	}
	return nil
}

// stale says whether the peer has closed an idle connection, or sent something that nobody asked for. It saves a write
// from being sent into the void.
func stale(conn net.Conn) bool {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	if conn.SetDeadline(time.Time{}) != nil {
		return true
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	silent := false
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err != nil || !silent
}

// sleep waits for d, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
