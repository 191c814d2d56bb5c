package configs

import (
	"encoding/json"
	"strings"
	"testing"
)

// A secret planted wherever one may stand must not come out.
const planted = "pl4nted"

func TestRedactShowsNoSecret(t *testing.T) {
	t.Setenv("EDGED_PW", planted)
	const text = `
id: gw-01
uplinks:
  - name: cloud
    urls: ["mqtts://127.0.0.1"]
    username: ${EDGED_PW}
    password_file: cloud.pw
    client_id: x-${EDGED_PW}
    forward: [{from: "a/#", max_age: 7d}]
devices:
  - name: d
    driver: free
    password: pl4nted
    url: http://user:pl4nted@127.0.0.1/
    token: "pl4nted"
    community: ${EDGED_PW}
    login: {user: me, passphrase: pl4nted, api_key: [pl4nted], list: [{secret: pl4nted, plain: 5}]}
    level: 5
    odd: [.nan, -.inf]
`
	c, err := checked("edged.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(c.Redact())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), planted) {
		t.Errorf("a secret is shown: %s", out)
	}
	for _, want := range []string{
		`"id":"gw-01"`, `"max_age":"168h0m0s"`, `"username":"${EDGED_PW}"`, `"client_id":"x-${EDGED_PW}"`, `"password_file":"cloud.pw"`,
		`"url":"http://user:***@127.0.0.1/"`, `"password":"***"`, `"token":"***"`, `"community":"${EDGED_PW}"`, `"passphrase":"***"`, `"api_key":"***"`,
		`"secret":"***"`, `"plain":5`, `"level":5`, `"odd":["NaN","-Inf"]`, `"queue_bytes":"64MiB"`, `"sync":"always"`, `"anonymous":"loopback"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing in %s", want, out)
		}
	}
}

func TestMessagesShowNoSecret(t *testing.T) {
	for _, text := range []string{
		"password: pl4nted",
		`{"password": "pl4nted", x: 1}`,
		"devices: [{name: a, driver: free, password: pl4nted}, {name: a, driver: free}]",
		"devices: [{name: a, driver: strict, api_token: 'pl4nted', url: \"http://u:pl4nted@h/\"}]",
		"uplinks: [{name: x, urls: [\"mqtt://u:pl4nted@127.0.0.1\"]}]",
		"uplinks:\n- password: pl4nted\n",
		"secret: \"pl4nted",
		"secret: 'pl4nted",
		"token: pl4nted: x",
		"login: {passphrase: pl4nted pl4nted",
	} {
		_, err := checked("edged.yaml", []byte(text))
		if err == nil {
			t.Errorf("%s: want an error", text)
		} else if strings.Contains(err.Error(), planted) {
			t.Errorf("%s:\n%v", text, err)
		}
	}
}

func TestMaskKeepsWhatIsNoSecret(t *testing.T) {
	for _, line := range []string{
		"password_file: cloud.pw", "password: ${PW}", "key: gw.key", "url: mqtt://user@host/", "tokens: 5", "  - a: b # token of love",
	} {
		if got := mask(line); got != line {
			t.Errorf("%s became %s", line, got)
		}
	}
}
