package configs

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestSectionBroker(t *testing.T) {
	c, err := checked("edged.yaml", []byte(`
broker:
  listeners:
    - {url: "mqtts://:8883", tls: {cert: s.pem, key: s.key, client_ca: ca.pem, client_auth: request}, proxy_protocol: true}
    - {url: "unix:///run/edged/mqtt.sock", mode: 0600}
    - {url: "ws://127.0.0.1:8083/mqtt", origins: ["https://a.example"]}
  users_file: users
  certificate_user: cn
  access: [{user: "a*", publish: ["a/{user}"], subscribe: ["#"]}, {publish: ["x"]}]
  jwt: {secret_files: [jwt.secret], issuer: me}
`))
	if err != nil {
		t.Fatal(err)
	}
	b := c.Broker
	if b.Listeners[1].Mode != 0o600 || !b.Listeners[0].ProxyProtocol || b.Listeners[2].Origins[0] != "https://a.example" {
		t.Errorf("listeners: %+v", b.Listeners)
	}
	if a := b.Access; a.UsersFile != "users" || len(a.Access) != 2 || a.Access[0].Publish[0] != "a/{user}" || a.JWT.Issuer != "me" {
		t.Errorf("access: %+v", a)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("warnings: %v", w)
	}
	shown := c.Redact()["broker"].(map[string]any)
	if shown["users_file"] != "users" || shown["anonymous"] != "loopback" || shown["access"].([]any)[0].(map[string]any)["user"] != "a*" {
		t.Errorf("shown: %v", shown)
	}
	_, err = checked("edged.yaml", []byte("broker:\n  access: [{user: a, publish: [\"a/#/b\"], subscribe: [\"{who}\"]}]\n  certificate_user: cn\n  jwt: {issuer: x}\n  listeners: [{url: \"unix:///a\", mode: rw}]\n"))
	for _, want := range []string{
		"edged.yaml:2:32: broker.access[0].publish[0]: ", "2:54: broker.access[0].subscribe[0]: ", "3:21: broker.certificate_user: no listener asks", "4:8: broker.jwt: names no key",
		`5:40: broker.listeners[0].mode: "rw" is not the mode of a file`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

func TestWarningsOfListeners(t *testing.T) {
	const tls = "tls: {cert: a, key: b}"
	for text, want := range map[string]string{
		`{listeners: [{url: "mqtts://:1", ` + tls + `}], anonymous: always}`:                                                "open to the network without users",
		`{listeners: [{url: "wss://:1", ` + tls + `}]}`:                                                                     "clients from there are refused",
		`{listeners: [{url: "wss://:1", ` + tls + `}], users_file: u}`:                                                      "",
		`{listeners: [{url: "mqtt://:1"}], users_file: u}`:                                                                  "passwords and messages can be read",
		`{listeners: [{url: "mqtt://:1", proxy_protocol: true}], users_file: u}`:                                            "",
		`{listeners: [{url: "mqtt://:1"}], anonymous: always, access: [{publish: [a]}]}`:                                    "passwords and messages can be read",
		`{listeners: [{url: "mqtts://:1", tls: {cert: a, key: b, client_ca: c}}], anonymous: always}`:                       "",
		`{listeners: [{url: "mqtts://:1", tls: {cert: a, key: b, client_ca: c, client_auth: request}}], anonymous: always}`: "open to the network without users",
		`{listeners: [{url: "unix:///a"}], anonymous: always}`:                                                              "",
	} {
		c, err := checked("edged.yaml", []byte("broker: "+text))
		if err != nil {
			t.Fatal(err)
		}
		w := c.Warnings()
		if (len(w) != 0) != (want != "") || want != "" && !strings.Contains(w[0].Problem, want) {
			t.Errorf("%s: %v, want %q", text, w, want)
		}
	}
}

// TestPathsBeginAtTheFile: every file that a part reads, and nothing else.
func TestPathsBeginAtTheFile(t *testing.T) {
	c, err := Parse("/etc/edged/edged.yaml", []byte(`
data_dir: data
broker:
  listeners: [{url: "mqtts://:8883", tls: {cert: a, key: ../a, client_ca: /abs/a}}]
  users_file: a
  jwt: {secret_files: [a], public_keys: [keys/a, a]}
uplinks:
  - {name: x, urls: ["mqtts://a"], forward: [{from: a, to: a}], username: a, password_file: a, tls: {ca: a, cert: a, key: a}}
`))
	if err != nil {
		t.Fatal(err)
	}
	a, u := c.Broker.Access, c.Uplinks[0]
	got := fmt.Sprintln(c.DataDir, c.Broker.Listeners[0].TLS, a.UsersFile, a.JWT.SecretFiles, a.JWT.PublicKeys, u.PasswordFile, u.TLS, u.Username, u.Forward[0].From)
	want := "data {/etc/edged/a /etc/a /abs/a } /etc/edged/a [/etc/edged/a] [/etc/edged/keys/a /etc/edged/a] /etc/edged/a {/etc/edged/a /etc/edged/a /etc/edged/a} a a\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c, err = Parse("edged.yaml", []byte("broker: {users_file: a}\n")); err != nil || c.Broker.Access.UsersFile != "a" {
		t.Errorf("%q, %v", c.Broker.Access.UsersFile, err)
	}
	if c, err = Parse("/x/edged.yaml", nil); err != nil || !reflect.DeepEqual(c.Broker, Default().Broker) {
		t.Errorf("what is not named stays empty: %+v, %v", c.Broker, err)
	}
}
