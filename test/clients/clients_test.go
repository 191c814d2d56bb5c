package clients

import (
	"fmt"
	"strings"
	"testing"
)

var names = map[byte]string{3: "3.1", 4: "3.1.1", 5: "5"}

// TestClients plays every case with every client, over each listener and in each version that it speaks.
func TestClients(t *testing.T) {
	all := []string{"mqtt", "mqtts", "ws", "wss", "unix"}
	kinds := []kind{
		{"paho.mqtt.golang", []byte{3, 4}, all, connectPahoMQTT},
		{"paho.golang", []byte{5}, all, connectPaho5},
		{"MQTT.js", []byte{3, 4, 5}, all, js.connect},
	}
	urls := startEdged(t)
	n := 0
	for _, k := range kinds {
		for _, scheme := range k.schemes {
			for _, v := range k.versions {
				for _, c := range cases {
					if c.only5 && v != 5 {
						continue
					}
					n++
					s := scene{kind: k, version: v, url: urls[scheme], base: fmt.Sprint("c", n)} // 3.1 has client identifiers of 23 bytes
					t.Run(strings.Join([]string{k.name, scheme, names[v], c.name}, "/"), func(t *testing.T) {
						t.Parallel()
						s.T = t
						c.play(&s)
					})
				}
			}
		}
	}
}
