"""A reader made of Python's paho: subscribes with a persistent session, and prints a line for each message: retain qos topic payload.

usage: reader.py PORT CLIENT_ID FILTER...
It prints "subscribed" when its subscriptions are in force, and reconnects by itself.
"""
import sys

import paho.mqtt.client as mqtt

port, client_id, filters = int(sys.argv[1]), sys.argv[2], sys.argv[3:]


def on_connect(client, userdata, flags, rc):
    if rc != 0:
        sys.exit(f"refused: {rc}")
    client.subscribe([(f, 2) for f in filters])


def on_message(client, userdata, m):
    print(int(m.retain), m.qos, m.topic, m.payload.decode(), flush=True)


client = mqtt.Client(client_id, clean_session=False)
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.on_connect = on_connect
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.on_message = on_message
client.connect("127.0.0.1", port)
client.loop_forever(retry_first_connection=True)
