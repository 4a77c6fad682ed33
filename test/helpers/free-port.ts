import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

const LOWEST = 20_000
const HIGHEST = 65_535
/** A process takes this many at once. */
const BLOCK = 100
/** One of this many is given: programs go on to the next where it is taken, which is no other test’s. */
const STRIDE = 5
/** A test's port has to be free on each, though it may be wanted on one only. */
const HOSTS = ['127.0.0.1', '::1', '0.0.0.0', '::']
/** What a machine without IPv6 says. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** The ports of blocks that are this process's own, and were not given yet; the next one last. */
const mine: number[] = []

/**
 * A port that nobody listens on, and that stays free until the test listens on it, also between two servers:
 * the kernel gives it to no connection and to no server that asks for port 0, and no other process or test
 * gets it from here.
 * @throws Error if there is none left
 */
export async function freePort(): Promise<number> {
  for (;;) {
    if (mine.length === 0) mine.push(...(await claimBlock()))
    const port = mine.pop()!
    if (await isFree(port)) return port
  }
}

/** By holding its first port for as long as this process lives: so no other process has the same block. */
async function claimBlock(): Promise<number[]> {
  const blocks = blocksOutside(ephemeralRange())
  const first = Math.floor(Math.random() * blocks.length)
  for (const block of [...blocks.slice(first), ...blocks.slice(0, first)]) {
    const guard = await listening(block, '127.0.0.1')
    if (typeof guard === 'string') continue
    guard.unref()
    const count = BLOCK / STRIDE - 1
    return Array.from({ length: count }, (_, index) => block + STRIDE * (index + 1)).toReversed()
  }
  throw new Error('Every block of ports for tests is in use')
}

/** @returns the first port of each; where the range leaves room for none, of all there are */
function blocksOutside([low, high]: readonly [number, number]): number[] {
  const all = Array.from({ length: Math.floor((HIGHEST - LOWEST) / BLOCK) }, (_, at) => LOWEST + at * BLOCK)
  const outside = all.filter((first) => first + BLOCK <= low || first > high)
  return outside.length > 0 ? outside : all
}

/** The ports that the kernel gives to who asks for none: ip(7); elsewhere those of RFC 6335, section 6. */
function ephemeralRange(): readonly [number, number] {
  if (process.platform !== 'linux') return [49_152, 65_535]
  const [low = 0, high = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .map(Number)
  return [low, high]
}

async function isFree(port: number): Promise<boolean> {
  for (const host of HOSTS) {
    const server = await listening(port, host)
    if (typeof server === 'string') {
      if (ABSENT.has(server)) continue
      return false
    }
    await new Promise((resolve) => server.close(resolve))
  }
  return true
}

/** @returns the error's code where it can't be had */
async function listening(port: number, host: string): Promise<Server | string> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<Server | string>()
  server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
  // Alone: a worker of a cluster would share it.
  server.listen({ port, host, exclusive: true }, () => resolve(server))
  return promise
}
