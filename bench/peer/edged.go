package peer

import (
	"fmt"
	"os"
	"path/filepath"
)

// Edged is edged with its store on, each acknowledged message on disk.
func Edged(binary string) Kind {
	return Kind{Name: "edged", Binary: binary, command: func(dir string, port int, need Need) ([]string, error) {
		file := filepath.Join(dir, "edged.yaml")
		return []string{"run", "-c", file}, os.WriteFile(file, fmt.Appendf(nil, `id: bench
data_dir: %s
broker:
  listeners: [{url: "mqtt://127.0.0.1:%d"}]
  limits:
    connections: 20000
    sessions: 20000
    subscriptions: 10000
    queue_messages: %d
    queue_bytes: 256MiB
    connections_per_address: 20000
    connecting: 1000
    retained_messages: 200000
    retained_bytes: 256MiB
buffer: {sync: always}
`, filepath.Join(dir, "data"), port, max(need.Waiting, 100_000)), 0o600)
	}}
}
