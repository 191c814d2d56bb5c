'use strict'
// Clients of MQTT.js for the test that runs this. It reads a request a line, {n, handle, op, …}, and writes a line for each
// answer, {n, result} or {n, error}, and for each message that came, {handle, message}. Payloads are in base64.

const fs = require('fs')
const readline = require('readline')
const mqtt = require('mqtt')

const clients = new Map()
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')

// write gives what a message says in the words of MQTT.js.
function write (m, version) {
  const p = { payload: Buffer.from(m.payload || '', 'base64'), qos: m.qos, retain: m.retain }
  if (version !== 5) return p
  p.properties = {}
  const set = (name, value) => { if (value) p.properties[name] = value }
  set('responseTopic', m.responseTopic)
  set('correlationData', m.correlation && Buffer.from(m.correlation, 'base64'))
  set('contentType', m.contentType)
  set('messageExpiryInterval', m.expiry)
  set('topicAlias', m.alias)
  for (const [key, value] of m.user || []) {
    p.properties.userProperties ||= {}
    ;(p.properties.userProperties[key] ||= []).push(value)
  }
  return p
}

// read is its reverse.
function read (topic, payload, packet) {
  const p = packet.properties || {}
  const user = []
  for (const [key, values] of Object.entries(p.userProperties || {})) {
    for (const value of [values].flat()) user.push([key, value])
  }
  return {
    topic,
    payload: payload.toString('base64'),
    qos: packet.qos,
    retain: packet.retain,
    user,
    responseTopic: p.responseTopic,
    correlation: p.correlationData && p.correlationData.toString('base64'),
    contentType: p.contentType,
    expiry: p.messageExpiryInterval,
    alias: p.topicAlias,
    subscription: [p.subscriptionIdentifier].flat()[0]
  }
}

const ops = {
  connect ({ handle, options: o }) {
    const c = mqtt.connect(o.url.replace(/^unix:/, 'mqtt+unix:'), {
      ca: [fs.readFileSync(o.ca)],
      clientId: o.id,
      protocolVersion: o.version,
      protocolId: o.version === 3 ? 'MQIsdp' : 'MQTT',
      clean: !o.persistent,
      reconnectPeriod: 0,
      will: o.will && { topic: o.will.topic, ...write(o.will) },
      properties: o.version === 5
        ? { sessionExpiryInterval: o.persistent ? 3600 : 0, topicAliasMaximum: o.aliases || undefined }
        : undefined
    })
    clients.set(handle, { c, version: o.version })
    c.on('message', (topic, payload, packet) => say({ handle, message: read(topic, payload, packet) }))
    return new Promise((resolve, reject) => {
      c.once('connect', (connack) => resolve({ present: connack.sessionPresent }))
      c.on('error', reject)
      c.once('close', () => reject(new Error('closed before CONNACK')))
    })
  },
  async subscribe ({ handle, filter, qos, id }) {
    const { c } = clients.get(handle)
    const granted = await c.subscribeAsync(filter, { qos, properties: id ? { subscriptionIdentifier: id } : undefined })
    return { code: granted[0].qos }
  },
  async publish ({ handle, message }) {
    const { c, version } = clients.get(handle)
    const { payload, ...options } = write(message, version)
    try {
      await c.publishAsync(message.topic, payload, options)
      return { code: 0 }
    } catch (e) {
      if (e.code >= 0x80) return { code: e.code }
      throw e
    }
  },
  async end ({ handle, cut }) {
    const { c } = clients.get(handle)
    clients.delete(handle)
    await c.endAsync(cut) // by force: without DISCONNECT
  }
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const request = JSON.parse(line)
  try {
    say({ n: request.n, result: await ops[request.op](request) })
  } catch (e) {
    say({ n: request.n, error: String(e.message || e) })
  }
}).on('close', () => process.exit())
