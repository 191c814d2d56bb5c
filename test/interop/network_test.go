package interop_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/edged/edged/test/peers"
)

// recipe is docs/recipes/network.md: the blocks of code in it, by language.
func recipe(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/recipes/network.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	return blocks
}

const password = "correct horse"

// follow does what the recipe says, in a new folder.
func follow(t *testing.T, blocks map[string][]string, yaml string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "edged.yaml"), []byte("data_dir: data\n"+yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks["sh"] {
		sh := exec.Command("sh", "-ex")
		sh.Dir = dir
		sh.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
		// The passwords that users add asks for come from a file here, since the standard input is the script.
		sh.Stdin = strings.NewReader(strings.ReplaceAll(block, "edged users add ", "edged users add -P password.txt "))
		if err := os.WriteFile(filepath.Join(dir, "password.txt"), []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := sh.CombinedOutput(); err != nil {
			t.Fatalf("%s\n%v\n%s", block, err, out)
		}
	}
	return dir
}

// serve runs edged in a folder that is not the configuration's, and waits until it listens on all.
func serve(t *testing.T, dir string, listeners int) *peers.Process {
	t.Helper()
	file := filepath.Join(dir, "edged.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("data_dir: data\n"), fmt.Appendf(nil, "data_dir: %s\n", filepath.Join(dir, "data")), 1)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := peers.Start(t, "edged", binary, "run", "-c", file)
	for from := 0; listeners > 0; listeners-- {
		_, from = p.Line(t, from, "edged listens on ")
	}
	return p
}

// fails runs a program that must fail.
func fails(t *testing.T, want, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%s %q: %v, want a failure with %q\n%s", name, args, err, want, out)
	}
}

// TestTheRecipeForTheNetwork does what docs/recipes/network.md says.
func TestTheRecipeForTheNetwork(t *testing.T) {
	blocks := recipe(t)
	plain, secure := peers.FreePort(t), peers.FreePort(t)
	main := strings.NewReplacer(":1883", fmt.Sprint(":", plain), "mqtts://:8883", fmt.Sprint("mqtts://127.0.0.1:", secure)).Replace(blocks["yaml"][0])
	dir := follow(t, blocks, main)
	for _, yaml := range blocks["yaml"] { // all of them are right
		file := filepath.Join(dir, "other.yaml")
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		peers.Run(t, binary, "check", file)
	}
	edged := serve(t, dir, 2)
	ca := filepath.Join(dir, "ca.pem")
	pub := func(user, pass, topic string) []string {
		return []string{"-h", "127.0.0.1", "-p", fmt.Sprint(secure), "--cafile", ca, "-u", user, "-P", pass, "-q", "1", "-t", topic, "-m", "230", "-r"}
	}
	peers.Run(t, "mosquitto_pub", pub("meter-1", password, "sensors/meter-1/power")...)
	peers.Run(t, "mosquitto_pub", pub("meter-1", password, "sensors/meter-2/power")...) // 3.1.1 is not told; the next line is
	if out := peers.Run(t, "mosquitto_pub", append(pub("meter-1", password, "sensors/meter-2/power"), "-V", "5")...); !strings.Contains(out, "Not authorized") {
		t.Errorf("a version 5 client is told %q", out)
	}
	edged.Line(t, 0, `a publish was refused.*broker\.access.*meter-1`)
	fails(t, "bad user name or password", "mosquitto_pub", pub("meter-1", "wrong", "sensors/meter-1/power")...)
	edged.Line(t, 0, `login refused.*user=meter-1.*wrong password`)
	fails(t, "ot authori", "mosquitto_pub", "-h", "127.0.0.1", "-p", fmt.Sprint(plain), "-t", "a", "-m", "b")
	edged.Line(t, 0, `login refused.*broker\.anonymous`)
	fails(t, "", "mosquitto_pub", "-h", "127.0.0.1", "-p", fmt.Sprint(secure), "-u", "meter-1", "-P", password, "-t", "a", "-m", "b") // without TLS
	edged.Line(t, 0, `the client speaks no TLS`)
	got := peers.Run(t, binary, "sub", "-h", fmt.Sprint("mqtts://127.0.0.1:", secure), "--ca", ca, "-u", "admin", "-P", filepath.Join(dir, "password.txt"), "-t", "sensors/#", "-v", "-C", "1", "-W", "20")
	if got = strings.TrimSpace(got); got != "sensors/meter-1/power 230" {
		t.Errorf("admin sees %q", got)
	}
	peers.Run(t, "openssl", "s_client", "-connect", fmt.Sprint("127.0.0.1:", secure), "-CAfile", ca, "-verify_return_error", "-verify_ip", "127.0.0.1", "-brief")
}

// TestEveryListenerWithRealClients: TLS with client certificates, WebSockets with and without TLS, and a Unix socket, of one edged.
func TestEveryListenerWithRealClients(t *testing.T) {
	mqtts, ws, wss := peers.FreePort(t), peers.FreePort(t), peers.FreePort(t)
	short, err := os.MkdirTemp("", "s") // a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	socket := filepath.Join(short, "mqtt.sock")
	dir := follow(t, recipe(t), fmt.Sprintf(`
broker:
  listeners:
    - {url: "mqtts://127.0.0.1:%d", tls: {cert: server.pem, key: server.key, client_ca: ca.pem, client_auth: require}}
    - {url: "ws://127.0.0.1:%d/mqtt"}
    - {url: "wss://127.0.0.1:%d/mqtt", tls: {cert: server.pem, key: server.key}}
    - {url: "unix://%s"}
  anonymous: loopback
  users_file: users
  certificate_user: cn
  access:
    - {user: "meter-*", publish: ["sensors/{user}/#"], subscribe: ["sensors/{user}/#"]}
    - {subscribe: ["sensors/meter-7/#"]}
`, mqtts, ws, wss, socket))
	serve(t, dir, 4)
	in := func(name string) string { return filepath.Join(dir, name) }
	reader := peers.Start(t, "mosquitto_sub", "stdbuf", "-oL", "mosquitto_sub", "--unix", socket, "-q", "1", "-t", "sensors/meter-7/#", "-d", "-F", "got %t %p")
	reader.Line(t, 0, "Subscribed")
	withCert := []string{"-h", "127.0.0.1", "-p", fmt.Sprint(mqtts), "--cafile", in("ca.pem"), "--cert", in("meter-7.pem"), "--key", in("meter-7.key"), "-q", "2", "-m", "x"}
	for _, v := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		peers.Run(t, "mosquitto_pub", append(withCert, "-V", v, "-t", "sensors/meter-7/"+v)...)
		reader.Line(t, 0, "^got sensors/meter-7/"+v+" x$")
	}
	if out := peers.Run(t, "mosquitto_pub", append(withCert, "-V", "5", "-t", "sensors/meter-1/a")...); !strings.Contains(out, "Not authorized") {
		t.Errorf("another meter's topic: %q", out)
	}
	fails(t, "", "mosquitto_pub", "-h", "127.0.0.1", "-p", fmt.Sprint(mqtts), "--cafile", in("ca.pem"), "-t", "a", "-m", "b") // without a certificate

	client := func(port int, path, ca, pass string) string {
		return strings.TrimSpace(peers.Run(t, peers.Python, "testdata/websocket.py", fmt.Sprint(port), path, ca, "meter-1", pass, "sensors/meter-1/ws"))
	}
	for _, got := range []string{client(ws, "/mqtt", "", password), client(wss, "/mqtt", in("ca.pem"), password)} {
		if got != "all came back" {
			t.Errorf("over a WebSocket: %s", got)
		}
	}
	if got := client(wss, "/mqtt", in("ca.pem"), "wrong"); got != "refused 4" && got != "refused 5" {
		t.Errorf("a wrong password over a WebSocket: %s", got)
	}
}
