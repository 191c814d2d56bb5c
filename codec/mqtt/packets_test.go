package mqtt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var versions = []Version{V31, V311, V5}

// unhex reads bytes as the standard's tables show them: "30 0A # comment", one or many lines.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("the test's own bytes: %v", err)
	}
	return b
}

// parseWhole parses one packet with its fixed header, of which nothing may be left.
func parseWhole(b []byte, v Version) (Packet, error) {
	h, n, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if n == 0 || len(b) != n+h.Length {
		return nil, errors.New("not one whole packet")
	}
	return Parse(h, b[n:], v)
}

// golden checks that p is written as the bytes in want, and that those are read as p.
func golden(t *testing.T, v Version, p Packet, want string) {
	t.Helper()
	b := unhex(t, want)
	got, err := p.Append(nil, v)
	if err != nil {
		t.Fatalf("%s in %s: append: %v", p.Type(), v, err)
	}
	if !bytes.Equal(got, b) {
		t.Fatalf("%s in %s:\n got % X\nwant % X", p.Type(), v, got, b)
	}
	again, err := parseWhole(b, v)
	if err != nil {
		t.Fatalf("%s in %s: parse: %v", p.Type(), v, err)
	}
	if !reflect.DeepEqual(again, p) {
		t.Fatalf("%s in %s:\n got %+v\nwant %+v", p.Type(), v, again, p)
	}
}

// refusal is a packet that must be refused, and what with.
type refusal struct {
	name      string
	v         Version
	bytes     string
	code      ReasonCode
	statement string
}

func refuses(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.v.String()+" "+c.name, func(t *testing.T) {
			b := unhex(t, c.bytes)
			p, err := parseWhole(b, c.v)
			wantError(t, err, c.code, c.statement)
			if p != nil && p.Type() != Type(b[0]>>4) {
				t.Errorf("the packet returned with the error is a %s", p.Type())
			}
		})
	}
}

func wantError(t *testing.T, err error, code ReasonCode, statement string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Code != code || e.Statement != statement {
		t.Errorf("got %v [%q], want %v [%q]: %v", e.Code, e.Statement, code, statement, err)
	}
	if text := err.Error(); !strings.Contains(text, e.Problem) || !strings.Contains(text, code.String()) || !strings.Contains(text, statement) {
		t.Errorf("the error %q does not say all it knows", text)
	}
}

// wantAppendError checks that p is not written, and that what was in the buffer stays.
func wantAppendError(t *testing.T, p Packet, v Version, code ReasonCode, statement string) {
	t.Helper()
	dst, err := p.Append([]byte("before"), v)
	wantError(t, err, code, statement)
	if string(dst) != "before" {
		t.Errorf("%s: the buffer is %q after the error", p.Type(), dst)
	}
}

// truncations checks that b, one whole packet, is refused as malformed whenever its last bytes are missing although the
// remaining length was set right: the fields tell that they are incomplete. Lengths in shorter are packets too.
func truncations(t *testing.T, v Version, b []byte, shorter ...int) {
	t.Helper()
	_, n, err := ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	ok := map[int]bool{}
	for _, l := range shorter {
		ok[l] = true
	}
	for l := range len(b) - n {
		_, err := Parse(Header{Type: Type(b[0] >> 4), Flags: b[0] & 0xF, Length: l}, b[n:n+l:n+l], v)
		if ok[l] != (err == nil) {
			t.Errorf("%s in %s with %d of %d bytes: %v", Type(b[0]>>4), v, l, len(b)-n, err)
		}
	}
}

func TestTypeAndVersionNames(t *testing.T) {
	for i := range 17 {
		if Type(i).String() == "" {
			t.Errorf("type %d has no name", i)
		}
	}
	if got := AUTH.String() + " " + Type(16).String() + " " + V31.String() + " " + V311.String() + " " + V5.String() + " " + Version(6).String(); got != "AUTH no packet type (16) 3.1 3.1.1 5.0 protocol level 6" {
		t.Error(got)
	}
}

func TestParseKnowsEveryType(t *testing.T) {
	for i := CONNECT; i <= AUTH; i++ {
		p, err := Parse(Header{Type: i, Flags: 0xF}, nil, V5)
		if err == nil || p == nil || p.Type() != i {
			t.Errorf("%s: got %v, %v", i, p, err)
		}
	}
	p, err := Parse(Header{}, nil, V5)
	wantError(t, err, MalformedPacket, "")
	if p != nil {
		t.Errorf("type 0: got %v", p)
	}
}
