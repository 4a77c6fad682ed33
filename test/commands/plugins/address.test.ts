import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pemOf, TestAuthority } from '../../helpers/certificates.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import { writePlugin } from '../../helpers/plugins/plugin-folder.ts'
import { homeWithNpm, listedNames } from '../../helpers/plugins/plugin-home.ts'
import { packFolder } from '../../helpers/plugins/registry.ts'

const NAME = 'private-connect-testinit'

let folder: string
let server: Server
let address: string
let env: NodeJS.ProcessEnv

/** A server of files, as it is enough for a tarball, and for git where that need not push. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pc-address-'))
  const authority = new TestAuthority(path.join(folder, 'ca'))
  writeFileSync(path.join(folder, 'plugin.tgz'), packFolder(writePlugin({}, path.join(folder, 'plugin'))))
  if (!spawnSync('git', ['--version']).error) makeRepository()
  server = createServer(pemOf(authority.issue()), ({ url = '' }, response) => {
    const file = path.join(folder, url.replace(/\?.*$/, ''))
    if (existsSync(file) && statSync(file).isFile()) return response.end(readFileSync(file))
    response.statusCode = 404
    return response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  env = { NODE_EXTRA_CA_CERTS: authority.certFile, GIT_SSL_CAINFO: authority.certFile }
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  rmSync(folder, { recursive: true })
})

function makeRepository(): void {
  const source = writePlugin({}, path.join(folder, 'repository'))
  const bare = path.join(folder, 'plugin.git')
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args])
  git('init', '--quiet', source)
  git('-C', source, 'add', '.')
  git('-C', source, 'commit', '--quiet', '--message=plugin')
  git('clone', '--quiet', '--bare', source, bare)
  git('-C', bare, 'update-server-info')
}

const INSTALLED = `[ok] Installed the plugin ${NAME} 1.0.0\n  It brings the platform testinit\n`

test('a plugin is installed from a tarball at an address, and updated from there', async (context) => {
  const home = homeWithNpm(undefined, context)
  expect(await connectOk(home, ['plugins', 'install', `${address}/plugin.tgz`], { env })).toBe(INSTALLED)
  expect(await connectOk(home, ['plugins', 'update'], { env })).toBe(`[ok] ${NAME} 1.0.0 is the newest\n`)
})

test('from a Git repository, too', async (context) => {
  if (spawnSync('git', ['--version']).error) context.skip('git is not installed')
  const home = homeWithNpm(undefined, context)
  expect(await connectOk(home, ['plugins', 'install', `git+${address}/plugin.git`], { env })).toBe(INSTALLED)
})

test('what can’t be got from an address is one sentence that names it', async (context) => {
  const home = homeWithNpm(undefined, context)
  const refusal = async (source: string, more: NodeJS.ProcessEnv) => {
    const { code, stderr } = await connect(home, ['plugins', 'install', source], { env: more })
    expect([code, listedNames(home)]).toEqual([1, []])
    return stderr
  }
  expect(await refusal(`${address}/nonesuch.tgz`, env)).toBe(
    `[x] There is nothing at ${address}/nonesuch.tgz\n  Check the address.\n`,
  )
  expect(await refusal(`${address}/plugin.tgz`, {})).toMatch(
    `[x] npm could not reach ${address}/plugin.tgz: its TLS certificate `,
  )
  if (spawnSync('git', ['--version']).error) return
  expect(await refusal(`git+${address}/nonesuch.git#v1`, env)).toBe(
    `[x] git could not get git+${address}/nonesuch.git#v1\n` +
      `  Look at what git says itself: git ls-remote ${address}/nonesuch.git\n`,
  )
})
