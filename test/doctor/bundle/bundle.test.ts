import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatLine } from '../../../src/log/line.ts'
import { formatInvite, parseInvite } from '../../../src/tunnel/protocol/invite.ts'
import { canMount } from '../../fixtures/machine/small-disk.ts'
import { connectWithoutRoot, needsPlainUser } from '../../fixtures/machine/without-root.ts'
import { connect, connectOk, runJs } from '../../helpers/cli.ts'
import { makeHome, type Home } from '../../helpers/home.ts'
import { serveTcp, type TestServer } from '../../helpers/servers.ts'

/** Nobody can have these by chance, and each has to be looked for. */
const secret = (name: string) => `${name}-${randomBytes(9).toString('base64url')}`

let home: Home
let target: TestServer
let bundle: string
let printed: string
/** By what it is. */
const secrets = new Map<string, string>()

/** A machine with a hub of its own, which it has joined, and a log full of what others have said. */
beforeAll(async () => {
  home = makeHome('jeanne-moreau')
  mkdirSync(home.folder)
  target = await serveTcp(() => {})
  await connectOk(home, ['hub', 'start', '--listen', '127.0.0.1:0'])
  const tokenFor = async (...args: string[]) =>
    (await connectOk(home, ['hub', 'token', 'create', ...args])).trim()
  secrets.set('label', secret('label'))
  const joining = await tokenFor('--invite')
  await connectOk(home, ['login', '--label', secrets.get('label')!], {
    env: { PRIVATECONNECT_TOKEN: joining },
  })
  await connectOk(home, ['expose', String(target.port), '--name', 'name-of-mine'])
  secrets.set('name of a service', 'name-of-mine')
  secrets.set('invite that was used', joining)
  secrets.set('token that was used', parseInvite(joining).token)
  secrets.set('token', await tokenFor())
  secrets.set('invite', formatInvite({ address: 'https://hub-of-mine.example', token: await tokenFor() }))
  secrets.set('token in the environment', await tokenFor())
  await connectOk(home, ['daemon', 'start'])

  const config = JSON.parse(readFileSync(home.file('config.json'), 'utf8')) as {
    agentId: string
    hubId: string
    key: { d: string; x: string }
  }
  secrets.set('private key', config.key.d)
  secrets.set('public key', config.key.x)
  secrets.set('id', config.agentId)
  secrets.set('id of the hub', config.hubId)
  secrets.set('password of the proxy', secret('p'))
  secrets.set('user of the proxy', secret('u'))
  secrets.set('host of the proxy', `${secret('h')}.test`)
  const proxy = `http://${secrets.get('user of the proxy')}:${secrets.get('password of the proxy')}@${secrets.get('host of the proxy')}:3128`
  writeFileSync(home.file('config.json'), JSON.stringify({ ...config, proxy }))
  secrets.set('name of the user', 'jeanne-moreau')

  // What peers that mean harm may have had written: all that they have heard of this machine, in any form.
  const lines = [...secrets].flatMap(([, value]) =>
    encodings(value).map((text) => formatLine(new Date(), 'warn', `agent (${text}) disconnected: ${text}`)),
  )
  const dump = readFileSync(home.file('config.json'), 'utf8')
  appendFileSync(home.file('daemon.log'), `${lines.join('\n')}\n${dump}\nProxy ${proxy}\n`)
  appendFileSync(
    home.file('hub/hub.log'),
    `${lines.join('\n')}\n${readFileSync(home.file('hub/hub.db'), 'base64')}\n`,
  )

  const file = path.join(home.folder, 'bundle.json')
  const env = {
    PRIVATECONNECT_TOKEN: secrets.get('token in the environment')!,
    HTTPS_PROXY: proxy.replace('3128', '3129'),
  }
  printed = (await connect(home, ['doctor', '--bundle', 'bundle.json'], { env })).stdout
  bundle = readFileSync(file, 'utf8')
})

afterAll(async () => {
  await connect(home, ['daemon', 'stop'])
  await connect(home, ['hub', 'stop'])
  await target.close()
  home.remove()
})

/** As it is, and as it may be hidden: base64 at each offset within three bytes, base64url, and hex. */
function encodings(value: string): string[] {
  const bytes = Buffer.from(value)
  const base64 = [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
    // What depends on nothing before or after.
    const from = Math.ceil((offset * 8) / 6)
    const to = Math.floor((whole.length * 8) / 6)
    return [whole.toString('base64').slice(from, to), whole.toString('base64url').slice(from, to)]
  })
  return [value, ...base64, bytes.toString('hex'), bytes.toString('hex').toUpperCase()]
}

describe('a bundle of a home full of secrets', () => {
  test('holds none of them, plain or in base64, base64url or hex', () => {
    expect(secrets.size).toBeGreaterThan(12)
    for (const [what, value] of secrets)
      for (const form of encodings(value)) expect(bundle.includes(form), `${what}: ${form}`).toBe(false)
  })

  test('holds nothing of the hub’s database', async () => {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(home.file('hub/hub.db'), { readOnly: true })
    const rows = ['join_tokens', 'agents', 'services', 'hub'].flatMap((table) =>
      database.prepare(`SELECT * FROM ${table}`).all(),
    )
    database.close()
    const values = rows.flatMap((row) => Object.values(row))
    const telling = values.filter(
      (value) => value instanceof Uint8Array || (typeof value === 'string' && value.length > 7),
    )
    expect(telling.length).toBeGreaterThan(6)
    for (const value of telling) {
      const bytes = Buffer.from(value as string)
      for (const form of [
        bytes.toString('latin1'),
        bytes.toString('hex'),
        bytes.toString('base64'),
        bytes.toString('base64url'),
      ])
        // `default` is the one workspace of every hub.
        if (form !== 'default') expect(bundle.includes(form), form).toBe(false)
    }
  })

  test('has these fields, and no others', () => {
    const { logs, ...contents } = JSON.parse(bundle) as Record<string, unknown> & {
      logs: Record<string, unknown>
    }
    expect(Object.keys(contents)).toEqual([
      'bundle',
      'madeAt',
      'versions',
      'system',
      'login',
      'platform',
      'agent',
      'hubHere',
      'checks',
      'files',
    ])
    expect(Object.keys(logs)).toEqual(['agent', 'hub'])
    expect(contents.login).toEqual({
      scheme: 'https',
      host: 'loopback',
      hasPath: false,
      insecure: false,
      proxy: true,
      ca: false,
      pinned: true,
    })
  })

  test('still says what is needed: what was seen, and what the log has said', () => {
    const { checks, agent, hubHere, logs, versions } = JSON.parse(bundle) as {
      checks: { name: string; state: string; seen: string }[]
      agent: object
      hubHere: object
      versions: object
      logs: Record<'agent' | 'hub', { text: string }[]>
    }
    expect(checks.find(({ name }) => name === 'websocket')).toMatchObject({
      state: 'ok',
      seen: 'One was opened, and closed again',
    })
    expect(versions).toMatchObject({ agent: '0.1.0', hub: '0.1.0', hubHere: '0.1.0' })
    expect(agent).toMatchObject({ connection: 'connected', services: ['loopback'] })
    expect(hubHere).toMatchObject({ joined: 1, online: 1 })
    expect(logs.agent.map(({ text }) => text)).toContain('[ok] Connected to hub via WebSocket')
    expect(logs.hub.map(({ text }) => text).join('\n')).toMatch(/\*\d+ \(\*\d+\) connected/)
  })

  test('is for its user alone, and what is in it is printed', () => {
    const file = path.join(home.folder, 'bundle.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(home.folder).filter((name) => name !== '.privateconnect')).toEqual(['bundle.json'])
    expect(printed).toMatch(
      /\[ok\] Wrote ~\/bundle\.json \(\d+ KB\), for a bug report\. It holds\n(?: {2}- .+\n)+/,
    )
    expect(printed).toContain('Read it before you send it.')
  })
})

describe('a bundle is not written', () => {
  test('over a file or a folder, nor through a link, and that is told before anything is looked at', async () => {
    const at = (name: string) => path.join(home.folder, name)
    writeFileSync(at('mine'), 'mine')
    symlinkSync(at('none'), at('link'))
    for (const name of ['mine', 'link', '.']) {
      const { code, stdout, stderr } = await connect(home, ['doctor', '--bundle', name])
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('There is something at') as string,
      })
      expect(stdout).toBe('')
    }
    expect(readFileSync(at('mine'), 'utf8')).toBe('mine')
    expect(existsSync(at('none'))).toBe(false)
  })

  test('into a folder that is not there', async () => {
    const { stdout, stderr } = await connect(home, ['doctor', '--bundle', 'none/bundle.json'])
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: expect.stringMatching(/Could not write .*its folder does not exist/) as string,
    })
  })

  test('into a folder that this user can’t write to, or what is none', async (context) => {
    needsPlainUser(context)
    const closed = path.join(home.folder, 'closed')
    mkdirSync(closed, { mode: 0o500 })
    writeFileSync(path.join(home.folder, 'file'), '')
    for (const [name, why] of [
      ['closed/bundle.json', 'EACCES'],
      ['file/bundle.json', 'ENOTDIR'],
    ]) {
      const { stdout, stderr } = await connectWithoutRoot(home, [
        'doctor',
        '--bundle',
        path.join(home.folder, name!),
      ])
      expect({ stdout, stderr }).toEqual({
        stdout: '',
        stderr: expect.stringContaining(why!) as string,
      })
    }
  })

  test('whole on a full disk, and nothing is left of it', async (context) => {
    const mount = canMount(context)
    mkdirSync(path.join(home.folder, 'full'))
    const script = 'mount -t tmpfs -o size=64k none full && head -c 1m /dev/zero > full/all 2>/dev/null'
    const command = [`${script}; "$@"; code=$?; ls -A full; exit $code`, 'sh', process.execPath, runJs]
    const [unshare, ...words] = mount
    const { status, stdout, stderr } = spawnSync(
      unshare,
      [...words, 'sh', '-c', ...command, 'doctor', '--bundle', 'full/bundle.json'],
      { cwd: home.folder, env: home.env, encoding: 'utf8' },
    )
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/Could not write .*full\/bundle\.json: .*ENOSPC/) as string,
    })
    expect(stdout).toMatch(/^\d+ ok, .*\nall\n$/ms)
  })
})

test('a bundle is written also where the config is damaged', async () => {
  const config = readFileSync(home.file('config.json'), 'utf8')
  try {
    writeFileSync(home.file('config.json'), config.slice(0, -10))
    await connect(home, ['doctor', '--bundle', 'damaged.json'])
    const text = readFileSync(path.join(home.folder, 'damaged.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ bundle: 1, login: null })
    for (const [what, value] of secrets) expect(text.includes(value), what).toBe(false)
  } finally {
    writeFileSync(home.file('config.json'), config)
  }
})
