"""A sensor made of Python's paho: publishes numbered QoS 1 messages, and prints the number of each that was acknowledged.

usage: publisher.py PORT CLIENT_ID TOPICS COUNT
Topic k of TOPICS is sensors/<client id>/<k>; message n goes to topic n mod TOPICS with n as its payload. It reconnects by itself, and sends
again what was not acknowledged, until all COUNT are.
"""
import sys
import threading

import paho.mqtt.client as mqtt

port, client_id, topics, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
assert count < 65535
done, room, acked = threading.Event(), threading.Semaphore(200), 0


def on_publish(client, userdata, mid):
    global acked
    acked += 1
    print(mid - 1, flush=True)  # paho counts its packet identifiers from 1, and nothing else here takes one
    room.release()
    if acked == count:
        done.set()


client = mqtt.Client(client_id, clean_session=False)
client.max_inflight_messages_set(100)
client.max_queued_messages_set(0)
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.on_publish = on_publish
client.connect("127.0.0.1", port)
client.loop_start()
for n in range(count):
    room.acquire()
    info = client.publish(f"sensors/{client_id}/{n % topics}", str(n), qos=1)
    assert info.mid == n + 1
done.wait()
client.disconnect()
client.loop_stop()
