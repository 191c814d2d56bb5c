package peer

import (
	"fmt"
	"os"
	"path/filepath"
)

// Mosquitto is Debian's mosquitto with persistence on, which it saves every 30 minutes and at exit.
func Mosquitto() Kind {
	return Kind{Name: "mosquitto", Binary: "/usr/sbin/mosquitto", command: func(dir string, port int, _ Need) ([]string, error) {
		file := filepath.Join(dir, "mosquitto.conf")
		// Started by root, it would go on as a user who may not write here.
		return []string{"-c", file}, os.WriteFile(file, fmt.Appendf(nil, `listener %d 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location %s/
max_queued_messages 0
max_inflight_messages 100
set_tcp_nodelay true
log_type error
`, port, dir), 0o600)
	}}
}
