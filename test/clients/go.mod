module github.com/edged/edged/test/clients

go 1.26

require (
	github.com/eclipse/paho.golang v0.23.0
	github.com/eclipse/paho.mqtt.golang v1.5.1
	github.com/edged/edged v0.0.0
	golang.org/x/net v0.44.0
)

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	golang.org/x/sync v0.17.0 // indirect
)

replace github.com/edged/edged => ../..
