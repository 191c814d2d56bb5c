package devices

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	for _, c := range []struct {
		in    string
		value any
		id    string
	}{
		{"21.5", 21.5, ""}, {" 21\n", int64(21), ""}, {"-1", int64(-1), ""}, {"18446744073709551615", uint64(18446744073709551615), ""},
		{"18446744073709551616", 18446744073709551616.0, ""}, {"1e3", 1000.0, ""}, {"true", true, ""}, {"false", false, ""},
		{`"21"`, "21", ""}, {"on", "on", ""}, {"on off", "on off", ""}, {"-", "-", ""},
		{`{"value":21.5,"id":"a"}`, 21.5, "a"}, {` {"id":7,"value":"x"}`, "x", "7"}, {`{"value":1,"id":null,"more":[]}`, int64(1), ""},
	} {
		got, err := parseRequest([]byte(c.in))
		if err != nil || got.value != c.value || got.id != c.id {
			t.Errorf("%s: %#v, %v", c.in, got, err)
		}
	}
}

func TestParseRequestRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"": "empty", " \n": "empty", "\xff": "UTF-8", "{": "not JSON", `{"id":"a"}`: `no "value"`, "null": "null", "[1]": "an array",
		`{"value":{},"id":"a"}`: "an object", `{"value":1e999,"id":"a"}`: "too large", "1e999": "too large", strings.Repeat("1", 70000): "70000 bytes",
	} {
		got, err := parseRequest([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, %v; want an error about %q", in, got, err, want)
		}
		if strings.Contains(in, `"id":"a"`) && got.id != "a" {
			t.Errorf("%s: the id was lost, so the answer cannot be matched", in)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, in := range []string{"21.5", "on", `{"value":21.5,"id":"a"}`, `"x"`, "null", "{", "-", "1e999"} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := parseRequest(in)
		if err == nil && plain(r.value) != nil {
			t.Errorf("%q became %v, which cannot be a value", in, r.value)
		}
		if got := answer(r.id, Result{r.value}, err); !json.Valid(got) {
			t.Errorf("%q: the answer %s is not JSON", in, got)
		}
	})
}
