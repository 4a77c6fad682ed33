import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Transform } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Bench } from '../bench/bench.ts'
import { summary } from '../bench/measures/startup.ts'
import { formatGrowth, perUnit, type Growth } from '../bench/report/growth.ts'
import { drawChart } from '../bench/report/svg.ts'
import { formatReport } from '../bench/report/table.ts'
import { formatTransports, PAIRS } from '../bench/report/transports.ts'
import { Results } from '../bench/results.ts'
import { TOPOLOGIES } from '../bench/topologies/all.ts'
import { direct } from '../bench/topologies/direct.ts'
import { startPeer } from '../bench/topologies/peers/start-peer.ts'
import { NotThereError, type Topology } from '../bench/topologies/topology.ts'
import { makeHome } from '../helpers/home.ts'

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

test('a start-up is compared by its undisturbed rounds, and by half of them each', () => {
  const rounds = [
    [10, 20],
    [10, 30],
    [10, 20],
    [10, 30],
    [90, 20],
    [10, 900],
    [10, 800],
    [70, 30],
  ]
  expect(summary('one', rounds, 1)).toEqual({ title: 'one', ms: 20, ratio: { all: 2, halves: [2, 3] } })
})

describe('the report', () => {
  const circumstances = { machine: 'one', date: new Date(0), rounds: 2, busy: undefined }
  const results = () => {
    const found = new Results(TOPOLOGIES.map(({ name }) => name))
    found.add('connect', 0, { up: 1, pingBusyP99: 3 })
    found.add('Node.js pipes', 0, { up: 2 })
    found.add('frp', 0, { pingBusyP99: 4 })
    found.add('chisel', 0, { pingBusyP99: 2 })
    found.add('connect', 1, { up: 8, pingBusyP99: 3 })
    found.add('Node.js pipes', 1, { up: 8 })
    found.add('frp', 1, { pingBusyP99: 6 })
    found.add('chisel', 1, { pingBusyP99: 8 })
    found.setMissing('OpenSSH', 'ssh is not on the PATH')
    return found
  }
  const lineOf = (start: string) => {
    const report = formatReport(results(), circumstances)
    return report.split('\n').find((line) => line.startsWith(start))
  }

  test('compares within a round, and judges the median', () => {
    expect(lineOf('| one stream up: connect / Node.js pipes')).toMatch(
      /\| 0\.75 +\| 0\.50 … 1\.00 \| at least 0\.8 +\| not met +\| at least 0\.95 +\| not met +\|$/,
    )
  })

  test('compares with the lowest of several in each round', () => {
    expect(lineOf('| ping beside bulk p99: connect / the lowest of')).toMatch(
      /\| 1\.00 +\| 0\.50 … 1\.50 \| at most 1 +\| met +\|/,
    )
  })

  test('does not judge what was not measured', () => {
    expect(lineOf('| new connection p50: connect / OpenSSH')).toMatch(
      /\| ssh is not on the PATH .*\| at most 1 +\| +\| at most 0\.7 +\| +\|$/,
    )
    expect(lineOf('| one stream up: connect / frp')).toMatch(/\| not measured .*\| at least 1\.5 +\| +\|/)
  })

  test('says why a tunnel is not there, in the table and in the chart', () => {
    expect(lineOf('| OpenSSH')).toMatch(/\| 3 +\| ssh is not on the PATH +\|/)
    expect(drawChart(results(), () => false)).toMatch(/>OpenSSH<\/text><text[^>]*>ssh is not on the PATH</)
  })
})

test('a peer that does not start is not there, and why is told', async () => {
  const home = makeHome()
  const file = path.join(home.folder, 'peer')
  mkdirSync(home.folder, { recursive: true })
  writeFileSync(file, '#!/bin/sh\necho unknown flag\nexit 2\n', { mode: 0o755 })
  const started = startPeer(home.folder, async (run) => {
    await run(file, ['--flag']).printed(/never/)
    throw new Error('it started')
  })
  await expect(started).rejects.toThrow(NotThereError)
  await expect(started).rejects.toThrow('unknown flag')
  home.remove()
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

describe('growth', () => {
  const lineOf = (growth: Omit<Growth, 'title' | 'unit' | 'digits'>) =>
    formatGrowth('streams', [1, 8, 64], [{ title: 'a figure', unit: 's', digits: 1, ...growth }])[1]!

  test('is judged by the ratio to the smallest in each round, and better is as good', () => {
    const figures = new Map([
      [1, [10, 20]],
      [8, [9, 18]],
      [64, [30, 60]],
    ])
    expect(lineOf({ figures, better: 'more' })).toMatch(/15\.0 +13\.5 +45\.0 +0\.90 +3\.00 +met$/)
    expect(lineOf({ figures, better: 'less' })).toMatch(/0\.90 +3\.00 +not met$/)
    expect(lineOf({ figures })).toMatch(/0\.90 +3\.00$/)
  })

  test('begins with the smallest size of which there is a figure, and is not judged without two', () => {
    const known = new Map([
      [1, [undefined]],
      [8, [2]],
      [64, [3]],
    ])
    expect(lineOf({ figures: known, better: 'less' })).toMatch(/– +2\.0 +3\.0 +– +1\.50 +not met$/)
    expect(lineOf({ figures: new Map([[8, [2]]]), better: 'less' })).toMatch(/– +2\.0 +– +– +– +not told$/)
  })

  test('of one of many is what is there beyond the floor, unless that differs by as much', () => {
    expect(perUnit(1100, [98, 100, 101], 10)).toBe(100)
    expect(perUnit(110, [98, 100, 101], 10)).toBeUndefined()
  })
})

/** A tunnel that turns round all bits of the last byte of a chunk, once. */
function changing(direction: 'up' | 'down'): Topology {
  return {
    name: 'changing',
    hops: 1,
    about: 'changes a byte',
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
