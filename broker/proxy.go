package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// The PROXY protocol (HAProxy, proxy-protocol.txt, versions 1 and 2): the first bytes of a connection tell who is at the
// other end of the proxy. Not one byte behind them is read here.

const (
	proxyV1Most = 107 // the longest line of version 1, with its end
	proxyV2Most = 4096
)

var proxyV2Signature = []byte("\r\n\r\n\x00\r\nQUIT\n")

// untold is the address of a client whose proxy did not tell it. It is no address of this machine, whatever the proxy's is.
type untold struct{ proxy net.Addr }

func (untold) Network() string  { return "tcp" }
func (u untold) String() string { return "unknown, through " + u.proxy.String() }

var errProxy = errors.New("no header of the PROXY protocol; broker.listeners[].proxy_protocol asks for one")

// readProxy reads the header and returns the client's address; not valid: the proxy does not tell it.
func readProxy(r io.Reader) (client netip.AddrPort, err error) {
	var b [proxyV1Most]byte
	head := b[:15] // no header of either version is shorter
	if _, err := io.ReadFull(r, head[:1]); err != nil {
		return client, err // such as a health check, which sends nothing
	}
	if head[0] != 'P' && head[0] != '\r' {
		return client, errProxy
	}
	if _, err := io.ReadFull(r, head[1:]); err != nil {
		return client, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PROXY ")):
		return readProxyV1(r, b[:], len(head))
	case bytes.HasPrefix(head, proxyV2Signature):
		return readProxyV2(r, head[len(proxyV2Signature):])
	}
	return client, errProxy
}

// readProxyV1 reads the rest of the line, n bytes of which are there: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".
func readProxyV1(r io.Reader, b []byte, n int) (client netip.AddrPort, err error) {
	for b[n-2] != '\r' || b[n-1] != '\n' {
		if n == len(b) {
			return client, fmt.Errorf("a line of the PROXY protocol with more than %d bytes", len(b))
		}
		if _, err := io.ReadFull(r, b[n:n+1]); err != nil {
			return client, err
		}
		n++
	}
	line := string(b[:n-2])
	fields := strings.Split(line, " ")
	if fields[1] == "UNKNOWN" {
		return client, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return client, fmt.Errorf("%q is no line of the PROXY protocol", line)
	}
	if client, err = netip.ParseAddrPort(net.JoinHostPort(fields[2], fields[4])); err != nil {
		return client, fmt.Errorf("PROXY protocol: %w", err)
	}
	if client.Addr().Is4() != (fields[1] == "TCP4") || client.Addr().Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("PROXY protocol: %s is no address of %s", client.Addr(), fields[1])
	}
	return client, nil
}

// readProxyV2 reads the rest of the binary header, three bytes of which are there: version and command, family and
// transport, and the first of the length's two.
func readProxyV2(r io.Reader, head []byte) (client netip.AddrPort, err error) {
	var last [1]byte
	if _, err := io.ReadFull(r, last[:]); err != nil {
		return client, err
	}
	length := int(binary.BigEndian.Uint16([]byte{head[2], last[0]}))
	if head[0]>>4 != 2 || head[0]&15 > 1 || length > proxyV2Most {
		return client, fmt.Errorf("PROXY protocol: version and command 0x%02X, %d bytes; want version 2, LOCAL or PROXY, and at most %d", head[0], length, proxyV2Most)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return client, err
	}
	if head[0]&15 == 0 { // LOCAL: the proxy itself, such as its health check
		return client, nil
	}
	var size int
	switch head[1] {
	case 0x11: // TCP over IPv4
		size = 4
	case 0x21: // TCP over IPv6
		size = 16
	default:
		return client, nil // a kind of address that is not the client's on a network
	}
	if len(body) < 2*size+4 {
		return client, fmt.Errorf("PROXY protocol: %d bytes are too few for two addresses", len(body))
	}
	ip, _ := netip.AddrFromSlice(body[:size])
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(body[2*size:])), nil
}
