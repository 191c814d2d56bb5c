"""A client of Python's paho over WebSockets, with a user: publishes to itself, and prints what comes back.

usage: websocket.py PORT PATH CA_FILE USER PASSWORD TOPIC; an empty CA_FILE is ws, without TLS
"""
import sys

import paho.mqtt.client as mqtt

port, path, ca, user, password, topic = sys.argv[1:]
client = mqtt.Client("websocket", transport="websockets", protocol=mqtt.MQTTv311)
client.ws_set_options(path=path)
if ca:
    client.tls_set(ca)
client.username_pw_set(user, password)
sizes = [0, 1, 1000, 70_000, 500_000]


def on_connect(client, userdata, flags, rc):
    if rc != 0:
        print("refused", rc, flush=True)
        sys.exit()
    client.subscribe(topic, 1)


def on_subscribe(client, userdata, mid, codes):
    for n in sizes:
        client.publish(topic, b"x" * n, 1)


def on_message(client, userdata, m):
    assert len(m.payload) == sizes.pop(0), len(m.payload)
    if not sizes:
        print("all came back", flush=True)
        client.disconnect()


client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", int(port))
client.loop_forever()
