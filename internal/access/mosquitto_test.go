package access

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
)

// program finds one of mosquitto's, which are not in every user's PATH.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, at := range []string{name, "/usr/bin/" + name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(at); err == nil {
			return path
		}
	}
	t.Fatalf("no %s; this test needs mosquitto (apt install mosquitto)", name)
	return ""
}

// TestFilesOfMosquittoPasswd: what the real mosquitto_passwd writes is read here, and edited on.
func TestFilesOfMosquittoPasswd(t *testing.T) {
	path := write(t, "users", "# made by hand\n")
	passwd := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(program(t, "mosquitto_passwd"), args...).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd %q: %v\n%s", args, err, out)
		}
	}
	want := map[string]string{"joe": "secret", "ann": "pässword $:# \t", "old": "x", "long": strings.Repeat("y", 1000), "plain": "text", "bob": "from edged"}
	passwd("-b", path, "joe", want["joe"])
	passwd("-b", path, "ann", want["ann"])
	passwd("-H", "sha512", "-b", path, "old", want["old"])
	passwd("-b", path, "long", want["long"])
	passwd("-b", path, "gone", "x")
	if _, err := AddUser(path, "bob", []byte(want["bob"])); err != nil {
		t.Fatal(err)
	}
	passwd("-D", path, "gone")
	plain := write(t, "plain", "plain:text\n")
	passwd("-U", plain)
	write(t, path, read(t, path)+read(t, plain))
	if text := read(t, path); !strings.Contains(text, "old:$6$") || !strings.Contains(text, "joe:$7$101$") || !strings.Contains(text, "bob:$7$210000$") {
		t.Fatalf("not the hashes that were meant:\n%s", text)
	}
	a, _ := open(t, Config{UsersFile: path})
	for user, password := range want {
		if err := login(t, a, "192.0.2.1", user, password); err != nil {
			t.Errorf("%s: %v", user, err)
		}
		if err := login(t, a, "192.0.2.1", user, password+"x"); kind(err) != "bad" {
			t.Errorf("%s with a wrong password: %v", user, err)
		}
	}
	if err := login(t, a, "192.0.2.1", "gone", "x"); kind(err) != "bad" {
		t.Errorf("gone: %v", err)
	}
}

// TestFilesForMosquitto: what is written here lets clients in at the real mosquitto.
func TestFilesForMosquitto(t *testing.T) {
	dir, err := os.MkdirTemp("", "access") // a short name: a socket's has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path, socket := filepath.Join(dir, "users"), filepath.Join(dir, "s")
	want := map[string]string{"joe": "pässword $:# \t", "meter 7": strings.Repeat("y", 1000)}
	for user, password := range want {
		if _, err := AddUser(path, user, []byte(password)); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("listener 0 %s\nallow_anonymous false\npassword_file %s\npersistence false\n", socket, path)
	if os.Getuid() == 0 {
		text += "user root\n" // it would become another user, who may not make the socket
	}
	cmd := exec.Command(program(t, "mosquitto"), "-c", write(t, filepath.Join(dir, "conf"), text))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error: it has ended
		_ = cmd.Wait()         // "killed"
	})
	ctx := soon(t)
	for {
		nc, err := net.Dial("unix", socket)
		if err == nil {
			nc.Close()
			break
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("mosquitto does not answer: %v", err)
		}
	}
	connect := func(user, password string) error {
		c, err := client.Dial(soon(t), client.Options{URL: "unix://" + socket, Username: user, Password: []byte(password), Version: mqtt.V5, CleanStart: true})
		if err == nil {
			err = c.Disconnect(mqtt.Success)
		}
		return err
	}
	for user, password := range want {
		if err := connect(user, password); err != nil {
			t.Errorf("%s: %v", user, err)
		}
		if err := connect(user, password+"x"); err == nil {
			t.Errorf("%s comes in with a wrong password", user)
		}
	}
}
