"""A Modbus TCP server made of pymodbus, told what to hold on its standard input.

usage: modbus_server.py PORT
  set co|di|hr|ir ADDRESS VALUE...    -> ok
  get co|di|hr|ir ADDRESS COUNT       -> VALUE...
"""
import asyncio
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

FUNCTION = {"co": 1, "di": 2, "hr": 3, "ir": 4}


def block():
    return ModbusSequentialDataBlock(0, [0] * 2000)


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


threading.Thread(target=control, daemon=True).start()
asyncio.run(StartAsyncTcpServer(ModbusServerContext(slaves={1: unit}, single=False), address=("127.0.0.1", int(sys.argv[1]))))
