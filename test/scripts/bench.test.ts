import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Transform } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Bench } from '../bench/bench.ts'
import { drawChart } from '../bench/report/svg.ts'
import { formatReport } from '../bench/report/table.ts'
import { formatTransports, PAIRS } from '../bench/report/transports.ts'
import { Results } from '../bench/results.ts'
import { direct } from '../bench/topologies/direct.ts'
import type { Topology } from '../bench/topologies/topology.ts'

describe('a transfer', () => {
  let bench: Bench
  beforeEach(() => {
    bench = new Bench()
  })
  afterEach(() => bench.stop())

  const transferOver = async (topology: Topology, direction: 'up' | 'down') => {
    const { port } = await bench.start(topology, { inspect: false })
    const how = { direction, streams: 2, bytes: 3_000_000, checked: true, watched: [] }
    return bench.clients.main.ask('transfer', { ...how, port })
  }

  test.each(['up', 'down'] as const)('%s is timed', async (direction) => {
    const { seconds } = await transferOver(direct, direction)
    expect(seconds).toBeGreaterThan(0)
  })

  test.each(['up', 'down'] as const)('%s through a tunnel that changes a byte fails', async (direction) => {
    await expect(transferOver(changing(direction), direction)).rejects.toThrow(`wrong bytes ${direction}`)
  })
})

describe('the report', () => {
  const circumstances = { machine: 'one', date: new Date(0), rounds: 2, busy: undefined }
  const results = () => {
    const found = new Results(['connect', 'connect, TLS', 'Node.js pipes', 'OpenSSH'])
    found.add('connect', 0, { up: 1 })
    found.add('Node.js pipes', 0, { up: 2 })
    found.add('connect', 1, { up: 8 })
    found.add('Node.js pipes', 1, { up: 8 })
    found.setMissing('OpenSSH', 'ssh is not installed')
    return found
  }
  const lineOf = (start: string) => {
    const report = formatReport(results(), circumstances)
    return report.split('\n').find((line) => line.startsWith(start))
  }

  test('compares within a round, and judges the median', () => {
    expect(lineOf('| one stream up: connect / Node.js pipes')).toMatch(
      /\| 0\.75 +\| 0\.50 … 1\.00 \| at least 0\.7 +\| met +\| at least 0\.85 +\| not met +\|$/,
    )
  })

  test('does not judge what was not measured', () => {
    expect(lineOf('| one stream up: connect / OpenSSH')).toMatch(/\| not there .*\| at least 1\.2 +\| +\|/)
  })

  test('says why a tunnel is not there, in the table and in the chart', () => {
    expect(lineOf('- OpenSSH')).toBe('- OpenSSH is not there: ssh is not installed.')
    expect(drawChart(results(), () => false)).toMatch(/>OpenSSH<\/text><text[^>]*>not there</)
  })
})

test('ws is judged by its ratio to ours in each round', () => {
  const [{ ws, ours }] = PAIRS
  const results = new Results(PAIRS.flatMap((pair) => [pair.ws.name, pair.ours.name]))
  for (const [round, up] of [
    [0, 0.5],
    [1, 0.88],
    [2, 0.95],
  ] as const) {
    results.add(ours.name, round, { up: 10, cpu: 2 })
    results.add(ws.name, round, { up: 10 * up, cpu: 2.2 })
  }
  const report = formatTransports(results, { machine: 'one', date: new Date(0), rounds: 3, busy: undefined })
  expect(report).toMatch(/\| one stream up .* \| 0\.88 +\| 0\.50 … 0\.95 \| at least 0\.9 +\| not met \|/)
  expect(report).toMatch(/\| CPU, all processes .* \| 1\.10 +\| 1\.10 … 1\.10 \| at most 1\.11 +\| met +\|/)
})

/** A tunnel that turns round all bits of the last byte of a chunk, once. */
function changing(direction: 'up' | 'down'): Topology {
  return {
    name: 'changing',
    async start({ target }) {
      const server = createServer((socket) => {
        const next = connect(target, '127.0.0.1')
        const change = new Transform({ transform: changeOnce() })
        if (direction === 'up') socket.pipe(change).pipe(next).pipe(socket)
        else socket.pipe(next).pipe(change).pipe(socket)
        for (const end of [socket, next]) end.on('error', () => {})
        socket.on('close', () => next.destroy())
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return {
        port: (server.address() as AddressInfo).port,
        processes: { hub: [], ends: [] },
        stop: async () => void server.close(),
      }
    },
  }
}

type TransformFunction = NonNullable<ConstructorParameters<typeof Transform>[0]>['transform']

/** Not in the first bytes, which say what is wanted and are no bytes of the transfer. */
function changeOnce(): TransformFunction {
  let changed = false
  return (chunk: Buffer, _encoding, done) => {
    if (!changed && chunk.length > 1000) {
      chunk[chunk.length - 1]! ^= 0xff
      changed = true
    }
    done(null, chunk)
  }
}
