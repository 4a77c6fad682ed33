import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { openLocalPort, type LocalPort, type LocalPortOptions } from '../../src/reach/local-port.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'
import { freePort } from '../helpers/free-port.ts'

const BOTH = ['127.0.0.1', '::1']

const NOBODY = 65_534

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** The port of something else that listens there. */
async function taken(host: string, wanted?: number): Promise<number> {
  const server = createServer()
  onTestFinished(() => void server.close())
  const port = wanted ?? (await freePort())
  await once(server.listen(port, host), 'listening')
  return port
}

async function door({
  own = 0,
  isOwnTaken = false,
  ...options
}: Partial<Omit<LocalPortOptions, 'own'>> & { own?: number; isOwnTaken?: boolean }): Promise<LocalPort> {
  const all = { bind: undefined, port: undefined, own: { port: own, isTaken: isOwnTaken }, ...options }
  const opened = await openLocalPort(all, (socket) => socket.end('here'))
  onTestFinished(() => opened.close())
  return opened
}

const heard = (host: string, port: number) => text(connect(port, host))

test('a free port is one number on both loopbacks', async () => {
  const { addresses, port, because } = await door({ port: 0 })
  expect(addresses).toEqual(BOTH)
  expect(because).toBeUndefined()
  for (const host of BOTH) expect(await heard(host, port)).toBe('here')
})

test.for([...BOTH, '0.0.0.0', '::'])('a port that is taken on %s is taken', async (host) => {
  const own = await taken(host)
  const opened = await door({ own })
  expect(opened.port).not.toBe(own)
  expect(opened.addresses).toEqual(BOTH)
  expect(opened.because).toBe(`${own} is taken here`)
  expect(await rejectionOf(door({ own, port: own }))).toMatchObject({ code: 'PORT_IN_USE' })
})

test('a port that one loopback did not have is free again on the other', async () => {
  const own = await taken('::1')
  await rejectionOf(door({ port: own }))
  expect(await taken('127.0.0.1', own)).toBe(own)
})

test('the service’s own port is left alone on the machine that it is for', async () => {
  const own = await taken('127.0.0.1')
  const { port, because } = await door({ own: own - 1, isOwnTaken: true })
  expect([own - 1, own]).not.toContain(port)
  expect(because).toBe(`${own - 1} may be the service’s own port on this machine`)
})

test('an address that is not this machine’s is an error at once, and no port is looked for', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  onTestFinished(() => void process.off('warning', warned))
  for (const port of [undefined, 0, 5432]) {
    expect(await rejectionOf(door({ bind: '192.0.2.9', own: 5432, port }))).toMatchObject({
      code: 'CANNOT_LISTEN',
      message: '192.0.2.9 is not an address of this machine',
    })
  }
  expect(warnings).toEqual([])
})

const unprivileged = Number(readIfThere('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 0)

test.skipIf(unprivileged <= 1)('a port that only root may open is told, and another one taken', async () => {
  // One after the other: the whole process is nobody meanwhile.
  process.seteuid?.(process.getuid?.() === 0 ? NOBODY : process.getuid!())
  onTestFinished(() => {
    process.seteuid?.(process.getuid!())
  })
  const { port, because } = await door({ own: 1 })
  expect(port).toBeGreaterThanOrEqual(unprivileged)
  expect(because).toBe('You may not open port 1 here')
  expect(await rejectionOf(door({ own: 1, port: 1 }))).toMatchObject({
    code: 'CANNOT_LISTEN',
    message: 'You may not open port 1 of 127.0.0.1',
    hints: expect.arrayContaining(
      process.platform === 'linux'
        ? [
            expect.stringMatching(
              /every user of this machine .*: sudo sysctl net\.ipv4\.ip_unprivileged_port_start=1$/,
            ),
          ]
        : [],
    ) as string[],
  })
})

test('--bind localhost is both loopbacks, and any other address is that one', async () => {
  expect((await door({ bind: 'localhost', port: 0 })).addresses).toEqual(BOTH)
  expect((await door({ bind: '::1', port: 0 })).addresses).toEqual(['::1'])
})
