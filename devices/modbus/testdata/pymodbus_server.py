"""A Modbus TCP server made of pymodbus, told what to hold on its standard input.

It prints its port, then answers each line with one line:
  set co|di|hr|ir ADDRESS VALUE...    -> ok
  get co|di|hr|ir ADDRESS COUNT       -> VALUE...
It ends with its standard input.
"""
import asyncio
import os
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

FUNCTION = {"co": 1, "di": 2, "hr": 3, "ir": 4}


def block():
    # Addresses from 500 on do not exist.
    return ModbusSequentialDataBlock(0, [0] * 500)


unit = ModbusSlaveContext(di=block(), co=block(), hr=block(), ir=block(), zero_mode=True)


def control():
    for line in sys.stdin:
        verb, kind, address, *rest = line.split()
        values = [int(v, 0) for v in rest]
        if verb == "set":
            unit.setValues(FUNCTION[kind], int(address), values)
            print("ok", flush=True)
        else:
            print(*[int(v) for v in unit.getValues(FUNCTION[kind], int(address), values[0])], flush=True)
    os._exit(0)


async def main():
    context = ModbusServerContext(slaves={7: unit}, single=False)
    server = await StartAsyncTcpServer(context, address=("127.0.0.1", 0), defer_start=True)
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=control, daemon=True).start()
    await serving


asyncio.run(main())
