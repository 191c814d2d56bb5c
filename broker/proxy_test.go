package broker

import (
	"errors"
	"io"
	"strings"
	"testing"
)

const v2 = "\r\n\r\n\x00\r\nQUIT\n"

var proxyHeaders = map[string]string{ // header: the client's address; "": none told
	"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n":                                                "192.0.2.1:56324",
	"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n":                                                     "[2001:db8::1]:1",
	"PROXY UNKNOWN\r\n":                                                                              "",
	"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n":                                  "",
	v2 + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb":                          "192.0.2.1:56324",
	v2 + "\x21\x11\x00\x10\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb\x04\x00\x01x":             "192.0.2.1:56324", // an extension
	v2 + "\x21\x21\x00\x24" + strings.Repeat("\x20", 16) + strings.Repeat("\x00", 16) + "\x00\x07ab": "[2020:2020:2020:2020:2020:2020:2020:2020]:7",
	v2 + "\x20\x00\x00\x00":                                                                          "", // LOCAL
	v2 + "\x20\x11\x00\x03abc":                                                                       "",
	v2 + "\x21\x31\x00\x02ab":                                                                        "", // a Unix socket's path
	v2 + "\x21\x00\x00\x00":                                                                          "",
}

var badProxyHeaders = []string{
	"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00", "GET / HTTP/1.1\r\n\r\n", "PROXY", "PRoXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "PROXYTCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
	"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n",
	"PROXY TCP4 192.0.2.1 198.51.100.2 66666 443\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n", "PROXY TCP4 localhost 198.51.100.2 1 443\r\n",
	"PROXY TCP4  192.0.2.1 198.51.100.2 1 443\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 443\n" + strings.Repeat("x", 100), "PROXY UNKNOWN" + strings.Repeat(" ", 100) + "\r\n",
	"PROXY TCP6 fe80::1%lo fe80::1 1 2\r\n", "PROXY SCTP4 192.0.2.1 198.51.100.2 56324 443\r\n",
	v2 + "\x11\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb", v2 + "\x22\x11\x00\x00", v2 + "\x21\x11\x00\x0b" + strings.Repeat("a", 11),
	v2 + "\x21\x11\xff\xff" + strings.Repeat("a", 70000), strings.Replace(v2, "QUIT", "QUIX", 1) + "\x21\x11\x00\x00",
}

func TestProxyHeaders(t *testing.T) {
	for header, want := range proxyHeaders {
		r := strings.NewReader(header + "behind")
		got, err := readProxy(r)
		if err != nil || got.IsValid() != (want != "") || want != "" && got.String() != want {
			t.Errorf("%q: got %v, %v; want %q", header, got, err, want)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "behind" {
			t.Errorf("%q: %q is left of what is behind it", header, rest)
		}
		for n := range header {
			if _, err := readProxy(strings.NewReader(header[:n])); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%q: %v", header[:n], err)
			}
		}
	}
	for _, header := range badProxyHeaders {
		if got, err := readProxy(strings.NewReader(header)); err == nil {
			t.Errorf("%q is taken: %v", header, got)
		}
	}
}

func FuzzProxyHeader(f *testing.F) {
	for header := range proxyHeaders {
		f.Add(header)
	}
	for _, header := range badProxyHeaders {
		f.Add(header[:min(len(header), 300)])
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := strings.NewReader(header)
		client, err := readProxy(r)
		if read := len(header) - r.Len(); read > 16+proxyV2Most {
			t.Errorf("%d bytes were read", read)
		}
		if err != nil && client.IsValid() {
			t.Errorf("%v beside %v", client, err)
		}
	})
}
