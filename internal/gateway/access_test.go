package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/configs"
	"github.com/edged/edged/internal/access"
	"github.com/edged/edged/internal/client"
)

// cheap is a users file whose passwords, "secret of admin" and "secret of meter-1", cost as little as mosquitto_passwd has them cost.
const cheap = `admin:$7$101$dHdlbHZlIGJ5dGVz$5vY722UYQF1B7i5jrfFJVrOZOWx+YcVHOExLd38WVPRm9AsZYUspKF22EM3cbNbQ3qFWpOqAftOvVfkLO1I2RA==
meter-1:$7$101$dHdlbHZlIGJ5dGVz$7vE7fGJgKQVm/4fxNwbc+Vb7s6hDwA6mlBZcSJ17cNgmijW3NMMSjGKK5nFCITH4S+zA7fEh5eQsNg2EGJY5Jg==
`

// guarded is a gateway with users: admin may do all, and meters what is under their names.
func guarded(t *testing.T, more string) (*Gateway, string) {
	t.Helper()
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte(cheap), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Parse(filepath.Join(dir, "edged.yaml"), fmt.Appendf(nil, `
id: gw
data_dir: %q
broker:
  listeners: [{url: "mqtt://127.0.0.1:0"}]
  users_file: users
  access:
    - {user: admin, publish: ["#"], subscribe: ["#"]}
    - {user: "meter-*", publish: ["sensors/{user}/#"], subscribe: ["commands/{user}/#"]}
%s`, filepath.Join(dir, "data"), more))
	if err != nil {
		t.Fatal(err)
	}
	return run(t, cfg), users
}

func login(t *testing.T, g *Gateway, user, password string) (*client.Client, error) {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{URL: g.URLs()[0], Version: mqtt.V5, ClientID: user, CleanStart: true, Username: user, Password: []byte(password)})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func code(t *testing.T, err error) mqtt.ReasonCode {
	t.Helper()
	var refused *client.CodeError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a reason code", err)
	}
	return refused.Code
}

func TestUsersAndRules(t *testing.T) {
	g, users := guarded(t, "")
	meter, err := login(t, g, "meter-1", "secret of meter-1")
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]mqtt.ReasonCode{"sensors/meter-1/a": mqtt.NoMatchingSubscribers, "sensors/meter-2/a": mqtt.NotAuthorized, "$SYS/a": mqtt.NotAuthorized} {
		got, err := meter.Publish(t.Context(), mqtt.Publish{Topic: topic, QoS: 1})
		if err != nil {
			got = code(t, err)
		}
		if got.Failed() != want.Failed() || got.Failed() && got != want {
			t.Errorf("publish to %s: %v, want %v", topic, got, want)
		}
	}
	if _, err := login(t, g, "meter-1", "wrong"); code(t, err) != mqtt.BadUserNameOrPassword {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := login(t, g, "nobody", "wrong"); code(t, err) != mqtt.BadUserNameOrPassword {
		t.Errorf("an unknown user: %v", err)
	}
	if _, err := access.AddUser(users, "meter-2", []byte("new")); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ { // the file is looked at once a second
		_, err := login(t, g, "meter-2", "new")
		if err == nil {
			break
		}
		if c := code(t, err); c != mqtt.BadUserNameOrPassword && c != mqtt.ConnectionRateExceeded || n > 1_000_000 {
			t.Fatal(err)
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	g, _ := guarded(t, "")
	for n := range 20 {
		_, err := login(t, g, "admin", fmt.Sprint("guess ", n))
		if code(t, err) == mqtt.ConnectionRateExceeded {
			if strings.Contains(err.Error(), "looked at in") {
				t.Errorf("the client is told until when: %v", err)
			}
			return
		}
	}
	t.Error("20 guesses, and no slowing down")
}

func TestAUsersFileThatIsNotThere(t *testing.T) {
	cfg := parse(t, t.TempDir(), "")
	cfg.Broker.Access.UsersFile = filepath.Join(t.TempDir(), "users")
	for range 2 { // the second time shows that the first has closed the store
		g, err := New(cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Run(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "edged users add") {
			t.Errorf("got %v", err)
		}
	}
}
