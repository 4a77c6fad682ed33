import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { connectOk, runJs } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { serveTcp } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { residentBytes } from './helpers/memory.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { seeded, seededSha256 } from './helpers/seeded.ts'
import { labSuite } from './helpers/suite.ts'

const GIGABYTE = 1_000_000_000
/** An idle one has about 60 MB; what is on its way, and garbage, may come to this. */
const MOST_MEMORY = 250_000_000

labSuite('bulk data through --stdio', {}, () => {
  const own = ownedBySuite()
  let world: World
  let client: Home

  beforeAll(async () => {
    world = own(await World.start(), (it) => it.stop())
    const server = await world.machine('server')
    client = await world.machine('client')
    await connectOk(server, ['daemon', 'start'])
    const expose = async (name: string, target: { port: number }) =>
      connectOk(server, ['expose', `127.0.0.1:${target.port}`, '--name', name])
    const download = own(
      await serveTcp((socket) => void pipeline(seeded('download', GIGABYTE), socket).catch(() => {})),
      (it) => it.close(),
    )
    const upload = own(
      await serveTcp((socket) => {
        const hash = createHash('sha256')
        socket.on('data', (chunk) => hash.update(chunk))
        socket.on('end', () => socket.end(hash.digest('hex')))
      }),
      (it) => it.close(),
    )
    await expose('download', download)
    await expose('upload', upload)
  })

  function carry(
    name: string,
    stdin: number | 'pipe' = 'pipe',
  ): { child: ChildProcess; code: Promise<number>; most: () => number } {
    const child = spawn(process.execPath, [runJs, 'reach', name, '--stdio'], {
      cwd: client.folder,
      env: client.env,
      stdio: [stdin, 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let most = 0
    const watch = setInterval(() => {
      try {
        most = Math.max(most, residentBytes(child.pid!))
      } catch {
        // It has exited, and nobody has asked for its exit code yet.
      }
    }, 100)
    const code = once(child, 'exit').then(([status]) => {
      clearInterval(watch)
      return status as number
    })
    return { child, code, most: () => most }
  }

  test('a gigabyte comes down whole, in bounded memory, with as many files open as before', async () => {
    const began = performance.now()
    const { child, code, most } = carry('download')
    const hash = createHash('sha256')
    let bytes = 0
    let filesEarly = 0
    const files = () => readdirSync(`/proc/${child.pid}/fd`).length
    for await (const chunk of child.stdout! as AsyncIterable<Buffer>) {
      hash.update(chunk)
      if (bytes === 0) filesEarly = files()
      bytes += chunk.length
      if (bytes > GIGABYTE / 2 && bytes - chunk.length <= GIGABYTE / 2)
        expect(files()).toBeLessThanOrEqual(filesEarly)
    }
    console.log(
      `1 GB down: ${Math.round(bytes / 1000 / (performance.now() - began))} MB/s, ${most() / 1e6} MB`,
    )
    expect(bytes).toBe(GIGABYTE)
    expect(hash.digest('hex')).toBe(seededSha256('download', GIGABYTE))
    expect(most()).toBeLessThan(MOST_MEMORY)
    child.stdin!.end()
    expect(await code).toBe(0)
  })

  test('a gigabyte goes up whole, in bounded memory, and is answered after its end', async () => {
    const began = performance.now()
    const { child, code, most } = carry('upload')
    const [answer] = await Promise.all([
      text(child.stdout!),
      pipeline(Readable.from(seeded('upload', GIGABYTE)), child.stdin!),
    ])
    console.log(
      `1 GB up: ${Math.round(GIGABYTE / 1000 / (performance.now() - began))} MB/s, ${most() / 1e6} MB`,
    )
    expect(answer).toBe(seededSha256('upload', GIGABYTE))
    expect(most()).toBeLessThan(MOST_MEMORY)
    expect(await code).toBe(0)
  })

  test('a disk as stdin is read to its end', async () => {
    const [content, file] = [randomBytes(1_000_000 - (1_000_000 % 512)), path.join(client.folder, 'disk')]
    writeFileSync(file, content)
    const disk = execFileSync('losetup', ['--find', '--show', '--read-only', file], {
      encoding: 'utf8',
    }).trim()
    onTestFinished(() => void execFileSync('losetup', ['--detach', disk]))
    const descriptor = openSync(disk, 'r')
    const { child, code } = carry('upload', descriptor)
    closeSync(descriptor)
    expect(await text(child.stdout!)).toBe(createHash('sha256').update(content).digest('hex'))
    expect(await code).toBe(0)
  })
})
