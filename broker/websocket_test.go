package broker_test

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// wsPeer reads and writes binary messages as if they were a stream. cut is how long the messages are that it writes.
type wsPeer struct {
	*websocket.Conn
	in  io.Reader
	cut int
}

func (p *wsPeer) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *wsPeer) Read(b []byte) (int, error) {
	for {
		if p.in == nil {
			kind, in, err := p.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, fmt.Errorf("a message of kind %d", kind)
			}
			p.in = in
		}
		n, err := p.in.Read(b)
		if n > 0 {
			return n, nil
		}
		if !errors.Is(err, io.EOF) {
			return 0, err
		}
		p.in = nil
	}
}

func (p *wsPeer) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := len(rest)
		if p.cut > 0 {
			n = min(n, p.cut)
		}
		w, err := p.NextWriter(websocket.BinaryMessage)
		if err != nil {
			return 0, err
		}
		if _, err := w.Write(rest[:n]); err != nil {
			return 0, err
		}
		if err := w.Close(); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(b), nil
}

func TestWebSocket(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("server")
	for _, l := range []broker.Listener{{URL: "ws://127.0.0.1:0/mqtt"}, {URL: "wss://127.0.0.1:0/mqtt", TLS: broker.TLS{Cert: cert, Key: key}}} {
		for _, cut := range []int{0, 1000} {
			t.Run(fmt.Sprint(l.URL, cut), func(t *testing.T) {
				r := brokertest.Start(t, listeners(l))
				d := websocket.Dialer{Subprotocols: []string{"other", "mqtt"}, TLSClientConfig: ca.client(""), HandshakeTimeout: patience}
				ws, response, err := d.Dial(r.URLs()[0], nil)
				if err != nil {
					t.Fatal(err, response)
				}
				defer ws.Close()
				if got := ws.Subprotocol(); got != "mqtt" {
					t.Errorf("subprotocol %q", got)
				}
				ponged := false
				ws.SetPongHandler(func(data string) error {
					ponged = data == "are you there"
					return nil
				})
				p := connectOver(t, &wsPeer{Conn: ws, cut: cut}, simple("a"))
				if err := ws.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				exchange(t, p)
				if !ponged {
					t.Error("no answer to a ping")
				}
				p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "again"})
				if got := expect[*mqtt.Disconnect](p); got.Code != mqtt.ProtocolError {
					t.Errorf("DISCONNECT %v", got.Code)
				}
				if _, err := p.next(patience); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
					t.Errorf("the end is %v, want a close frame", err)
				}
			})
		}
	}
}

// request asks for a WebSocket with these header lines more, and returns what it is answered.
func request(t *testing.T, r *brokertest.Running, path string, lines ...string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	var nonce [16]byte
	rand.Read(nonce[:])
	nc := dialTCP(t, r)
	text := "GET " + path + " HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.StdEncoding.EncodeToString(nonce[:]) + "\r\n"
	if !strings.Contains(strings.Join(lines, ""), "Host:") {
		text += "Host: " + r.Addr() + "\r\n"
	}
	fmt.Fprint(nc, text+strings.Join(lines, "\r\n")+"\r\n\r\n")
	in := bufio.NewReader(nc)
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	return nc, in, response
}

const protocolLine = "Sec-WebSocket-Protocol: mqtt"

func TestWebSocketRequests(t *testing.T) {
	var log logBuffer
	r := brokertest.Start(t, log.option(), listeners(broker.Listener{URL: "ws://127.0.0.1:0/mqtt", Origins: []string{"https://plant.example:8443"}}))
	origin := "Origin: http://" + r.Addr()
	for _, c := range []struct {
		path  string
		lines []string
		want  int
	}{
		{"/mqtt", []string{protocolLine}, 101},
		{"/mqtt/", []string{"Sec-WebSocket-Protocol: x, mqttv3.1"}, 101},
		{"/mqtt?x=y", []string{protocolLine}, 101},
		{"/", []string{protocolLine}, 404},
		{"/mqtt/../etc", []string{protocolLine}, 404},
		{"/mqtt", nil, 400},
		{"/mqtt", []string{"Sec-WebSocket-Protocol: wamp"}, 400},
		{"/mqtt", []string{protocolLine, "Sec-WebSocket-Version: 7", "Upgrade: h2c"}, 101}, // the first of each counts as well
		{"/mqtt", []string{protocolLine, origin}, 101},
		{"/mqtt", []string{protocolLine, "Origin: HTTPS://plant.example:8443"}, 101},
		{"/mqtt", []string{protocolLine, "Origin: https://plant.example"}, 403},
		{"/mqtt", []string{protocolLine, "Origin: null"}, 403},
		{"/mqtt", []string{protocolLine, "Origin: http://evil.example", "Host: evil.example"}, 403}, // its name leads here
		{"/mqtt", []string{protocolLine, "Origin: http://localhost:1", "Host: localhost:1"}, 101},
	} {
		if _, _, got := request(t, r, c.path, c.lines...); got.StatusCode != c.want {
			t.Errorf("%s %q: %s, want %d", c.path, c.lines, got.Status, c.want)
		}
	}
	eventually(t, "the refusal names the setting", func() bool { return log.has("broker.listeners[0].origins") })
	for _, text := range []string{"\x10\x0c\x00\x04MQTT", "GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n", "POST /mqtt HTTP/1.1\r\nHost: x\r\n\r\n", "GET /mqtt HTTP/1.1\r\nX: " + strings.Repeat("x", 100_000)} {
		nc := dialTCP(t, r)
		nc.Write([]byte(text))
		nc.(*net.TCPConn).CloseWrite()
		if answer, err := io.ReadAll(nc); strings.Contains(string(answer), "101") {
			t.Errorf("%.40q is answered %q, %v", text, answer, err)
		}
	}
	if n := r.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}

// frame is a WebSocket frame as a client may or may not send it: RFC 6455 §5.2.
func frame(head byte, masked bool, length uint64, payload []byte) []byte {
	b := []byte{head, byte(length)}
	if length > 125 {
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, length)
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0) // a mask that changes nothing
	}
	return append(b, payload...)
}

func packets(t *testing.T, ps ...mqtt.Packet) (b []byte) {
	t.Helper()
	for _, p := range ps {
		var err error
		if b, err = p.Append(b, mqtt.V5); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestHostileFrames(t *testing.T) {
	const fin, more, binaryFrame, text, closing, ping = 0x80, 0, 2, 1, 8, 9
	hello := simple("x")
	connect := packets(t, &hello)
	n := uint64(len(connect))
	for name, c := range map[string]struct {
		send  []byte
		close uint16 // the code of the broker's close frame; 0: the MQTT answer comes first
		first byte   // of the MQTT answer
		gone  bool   // it just ends
	}{
		"unmasked":                  {send: frame(fin|binaryFrame, false, n, connect), close: 1002},
		"text":                      {send: frame(fin|text, true, n, connect), close: 1003},
		"reserved bits":             {send: frame(fin|0x40|binaryFrame, true, n, connect), close: 1002},
		"an unknown opcode":         {send: frame(fin|3, true, n, connect), close: 1002},
		"a long ping":               {send: frame(fin|ping, true, 126, make([]byte, 126)), close: 1002},
		"a ping in pieces":          {send: frame(more|ping, true, 1, []byte{1}), close: 1002},
		"a continuation of nothing": {send: frame(fin, true, n, connect), close: 1002},
		"a negative length":         {send: frame(fin|binaryFrame, true, 1<<63, connect), gone: true},
		"a close":                   {send: frame(fin|closing, true, 2, []byte{3, 232}), close: 1000},
		"a byte a frame": {first: 0x20, send: func() (b []byte) {
			for i, x := range connect {
				head := byte(more)
				if i == 0 {
					head |= binaryFrame
				}
				b = append(b, frame(head, true, 1, []byte{x})...)
				b = append(b, frame(more, true, 0, nil)...)
				b = append(b, frame(fin|ping, true, 0, nil)...)
			}
			return b
		}()},
		"a claim of 2^62 bytes": {first: 0x20, send: frame(fin|binaryFrame, true, 1<<62, connect)},
	} {
		t.Run(name, func(t *testing.T) {
			r := brokertest.Start(t, listeners(broker.Listener{URL: "ws://127.0.0.1:0"}))
			nc, in, response := request(t, r, "/any", protocolLine)
			if response.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal(response.Status)
			}
			nc.Write(c.send)
			for {
				var head [2]byte
				if _, err := io.ReadFull(in, head[:]); err != nil && c.gone {
					return
				} else if err != nil {
					t.Fatal(err)
				}
				body := make([]byte, head[1])
				if _, err := io.ReadFull(in, body); err != nil {
					t.Fatal(err)
				}
				switch {
				case head[0] == fin|10: // a pong
				case head[0] == fin|binaryFrame && c.close == 0 && body[0] == c.first:
					return
				case head[0] == fin|closing && len(body) >= 2 && binary.BigEndian.Uint16(body) == c.close:
					if _, err := io.Copy(io.Discard, in); err != nil && !strings.Contains(err.Error(), "reset") {
						t.Errorf("after the close: %v", err)
					}
					return
				default:
					t.Fatalf("got % x % x", head, body)
				}
			}
		})
	}
}

// TestTooLongOverWebSocket: the limit is that of packets, also when one frame claims more.
func TestTooLongOverWebSocket(t *testing.T) {
	r := brokertest.Start(t, listeners(broker.Listener{URL: "ws://127.0.0.1:0"}))
	ws, _, err := (&websocket.Dialer{Subprotocols: []string{"mqtt"}}).Dial(r.URLs()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	p := connectOver(t, &wsPeer{Conn: ws}, simple("a"))
	p.bytes([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F})
	if got := expect[*mqtt.Disconnect](p); got.Code != mqtt.PacketTooLarge {
		t.Errorf("DISCONNECT %v", got.Code)
	}
}

// TestIdleWebSocket: the deadline of the keep alive moves on with each packet, and strikes in the end.
func TestIdleWebSocket(t *testing.T) {
	r := brokertest.Start(t, listeners(broker.Listener{URL: "ws://127.0.0.1:0"}))
	ws, _, err := (&websocket.Dialer{Subprotocols: []string{"mqtt"}}).Dial(r.URLs()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	c := simple("a")
	c.KeepAlive = 1
	p := connectOver(t, &wsPeer{Conn: ws}, c)
	start, tick := time.Now(), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for time.Since(start) < 2*time.Second {
		<-tick.C
		p.quiet()
	}
	if got := expect[*mqtt.Disconnect](p); got.Code != mqtt.KeepAliveTimeout {
		t.Errorf("DISCONNECT %v", got.Code)
	}
}
