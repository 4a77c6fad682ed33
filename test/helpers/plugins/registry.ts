import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writePlugin, type PluginWish } from './plugin-folder.ts'

interface Published {
  /** As package.json has it. */
  readonly manifest: { readonly name: string; readonly version: string }
  readonly tarball: Buffer
}

/** A registry of npm packages on loopback: what `npm install NAME` asks, and no more. */
export class Registry {
  readonly #server: Server
  readonly #packages = new Map<string, Published[]>()
  /** What was asked for, in order. */
  readonly asked: string[] = []
  /** Paths that are not answered. */
  #held: RegExp | undefined

  private constructor() {
    this.#server = createServer(({ url = '' }, response) => {
      const asked = decodeURIComponent(url)
      this.asked.push(asked)
      if (!this.#held?.test(asked)) this.#answer(asked, response)
    })
  }

  static async start(): Promise<Registry> {
    const registry = new Registry()
    registry.#server.listen(0, '127.0.0.1')
    await once(registry.#server, 'listening')
    return registry
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Says nothing any more to who asks for such a path; undefined: to none. */
  hold(paths: RegExp | undefined): void {
    this.#held = paths
  }

  /** Publishes a plugin, or another package. */
  publish(wish: PluginWish): void {
    const folder = mkdtempSync(path.join(tmpdir(), 'pc-publish-'))
    try {
      writePlugin(wish, folder)
      const manifest = JSON.parse(
        readFileSync(path.join(folder, 'package.json'), 'utf8'),
      ) as Published['manifest']
      const versions = this.#packages.get(manifest.name) ?? []
      this.#packages.set(manifest.name, [...versions, { manifest, tarball: packFolder(folder) }])
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #answer(asked: string, response: ServerResponse): void {
    const [, name, version] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+)\.tgz)?$/.exec(asked) ?? []
    const versions = this.#packages.get(name ?? '')
    const one = versions?.find(({ manifest }) => manifest.version === version)
    if (versions === undefined || (version !== undefined && one === undefined)) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
    } else if (one) response.end(one.tarball)
    else {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(this.#packument(name!, versions)))
    }
  }

  #packument(name: string, versions: readonly Published[]): object {
    return {
      name,
      'dist-tags': { latest: versions.at(-1)!.manifest.version },
      versions: Object.fromEntries(
        versions.map(({ manifest, tarball }) => {
          const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
          const dist = { tarball: `${this.url}${name}/-/${manifest.version}.tgz`, integrity }
          return [manifest.version, { ...manifest, dist }]
        }),
      ),
    }
  }
}

/** A package’s tarball, as npm pack makes it. */
export function packFolder(folder: string): Buffer {
  const work = mkdtempSync(path.join(tmpdir(), 'pc-pack-'))
  try {
    cpSync(folder, path.join(work, 'package'), { recursive: true })
    const { status, stderr } = spawnSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: work })
    if (status !== 0) throw new Error(`tar: ${String(stderr)}`)
    return readFileSync(path.join(work, 'package.tgz'))
  } finally {
    rmSync(work, { recursive: true })
  }
}
