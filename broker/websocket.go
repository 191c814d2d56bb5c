package broker

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/edged/edged/codec/mqtt"
)

// maxRequest is the longest HTTP request that asks for a WebSocket.
const maxRequest = 8 << 10

// subprotocols are what a client may ask for (MQTT-6.0.0-3); the second is the name of MQTT 3.1.
var subprotocols = []string{"mqtt", "mqttv3.1"}

// writeBuffers are used by WebSockets only while they write.
var writeBuffers sync.Pool

// upgrade reads one HTTP request from nc and makes a WebSocket of it.
func (w *way) upgrade(nc net.Conn, near bool, limit time.Time) (*webSocket, error) {
	in := bufio.NewReaderSize(io.LimitReader(nc, maxRequest), 1024)
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, err
	}
	steady := &steadyConn{Conn: nc}
	a := &answer{nc: steady, rw: bufio.NewReadWriter(in, bufio.NewWriter(nc)), header: http.Header{}}
	if code, why := w.admits(r, near); code != 0 {
		http.Error(a, why, code)
		return nil, errors.Join(errors.New(why), a.send())
	}
	up := websocket.Upgrader{
		Subprotocols: subprotocols, CheckOrigin: func(*http.Request) bool { return true }, // admits has
		ReadBufferSize: 512, WriteBufferSize: smallBuffer, WriteBufferPool: &writeBuffers, HandshakeTimeout: time.Until(limit),
	}
	ws, err := up.Upgrade(a, r, nil)
	if err != nil {
		return nil, errors.Join(err, a.send())
	}
	return &webSocket{steadyConn: steady, ws: ws}, nil
}

// admits says why a request is refused, with the code of HTTP; 0: it is not.
func (w *way) admits(r *http.Request, near bool) (code int, why string) {
	if w.path != "" && strings.TrimSuffix(r.URL.Path, "/") != w.path {
		return http.StatusNotFound, "MQTT is at " + w.path
	}
	if websocket.IsWebSocketUpgrade(r) && !slices.ContainsFunc(websocket.Subprotocols(r), func(s string) bool { return slices.Contains(subprotocols, s) }) {
		return http.StatusBadRequest, "the WebSocket subprotocol mqtt is needed (MQTT-6.0.0-3)"
	}
	if origin := r.Header.Get("Origin"); origin != "" && !w.allows(origin, r.Host, near) {
		return http.StatusForbidden, fmt.Sprintf("a web page of %.200q may not connect; %s.origins would allow it", origin, w.key)
	}
	return 0, ""
}

// allows says whether a web page of an origin may connect: one of the same host, or one that is configured. A page that
// a browser on this machine shows could have its host's name lead here (DNS rebinding) and so pass for the same host and
// for this machine: here only localhost and plain addresses are the same host.
func (w *way) allows(origin, host string, near bool) bool {
	if slices.ContainsFunc(w.cfg.Origins, func(o string) bool { return o == "*" || strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, host) {
		return false
	}
	if !near || u.Hostname() == "localhost" {
		return true
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}

// answer is what an HTTP request gets that becomes no WebSocket.
type answer struct {
	nc     net.Conn
	rw     *bufio.ReadWriter
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header                          { return a.header }
func (a *answer) WriteHeader(code int)                         { a.code = code }
func (a *answer) Write(b []byte) (int, error)                  { return a.body.Write(b) }
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return a.nc, a.rw, nil }

func (a *answer) send() error {
	if a.code == 0 {
		return nil // it failed later than that
	}
	r := http.Response{
		StatusCode: a.code, ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Close: true,
	}
	return r.Write(a.nc)
}

// steadyConn is a connection under a WebSocket, whose library sets the deadline before each write: never beyond that of the
// broker's goodbye.
type steadyConn struct {
	net.Conn
	mu    sync.Mutex
	limit time.Time
}

// SetWriteDeadline is for the library.
func (s *steadyConn) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.limit.IsZero() && (t.IsZero() || s.limit.Before(t)) {
		t = s.limit
	}
	return s.Conn.SetWriteDeadline(t)
}

// webSocket carries MQTT in binary messages (MQTT-6.0.0-1); where they begin and end means nothing (MQTT-6.0.0-2). Nothing is
// kept of a frame but what was asked for, so that its length claims no memory: the limit is that of MQTT packets.
type webSocket struct {
	*steadyConn
	ws *websocket.Conn
	in io.Reader // the message that is being read; nil: none
}

// Read reads what the messages hold. After an error, also a deadline's, there is no more.
func (s *webSocket) Read(b []byte) (int, error) {
	for {
		if s.in == nil {
			kind, in, err := s.ws.NextReader()
			if err != nil {
				return 0, webSocketError(err)
			}
			if kind != websocket.BinaryMessage {
				s.sayClose(websocket.CloseUnsupportedData, "MQTT is sent in binary messages")
				return 0, &ending{code: mqtt.MalformedPacket, why: "a WebSocket message of text (MQTT-6.0.0-1)", will: true, gone: true}
			}
			s.in = in
		}
		n, err := s.in.Read(b)
		if errors.Is(err, io.EOF) {
			s.in, err = nil, nil
		}
		if err != nil {
			err = webSocketError(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// webSocketError finds what an error of the library was.
func webSocketError(err error) error {
	var network net.Error
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &network) && network.Timeout():
		return os.ErrDeadlineExceeded
	case errors.As(err, &closed):
		return io.EOF // in whatever way the client said goodbye
	case errors.Is(err, websocket.ErrReadLimit), strings.HasPrefix(err.Error(), "websocket: "):
		return &ending{code: mqtt.ProtocolError, why: err.Error(), will: true, gone: true}
	}
	return err
}

// Write sends b as one message.
func (s *webSocket) Write(b []byte) (int, error) {
	if err := s.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// SetDeadline is the broker's: it holds for all that follows.
func (s *webSocket) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = t
	return s.Conn.SetDeadline(t)
}

// CloseWrite says that nothing follows.
func (s *webSocket) CloseWrite() error {
	s.sayClose(websocket.CloseNormalClosure, "")
	if t, ok := s.Conn.(*tls.Conn); ok {
		return t.CloseWrite()
	}
	return nil
}

// sayClose sends a close frame, if that is possible; the connection ends anyway.
func (s *webSocket) sayClose(code int, why string) {
	_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(farewell))
}
