import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk, startConnect, type RunningCli } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer } from '../helpers/servers.ts'
import { mountSmallDisk } from './helpers/small-disk.ts'
import { openSocket } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

/** How long the disk stays full, in ms. */
const FULL_MS = Number(process.env.HUB_FULL_SECONDS ?? 15) * 1000

const POLL = { timeout: 60_000, interval: 0 }

/**
 * Reads a database until it is closed. As long as somebody does, SQLite writes behind what its journal has
 * (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files), and not over it, which takes no room.
 */
function holdJournal(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true })
  database.exec('BEGIN')
  database.prepare('SELECT * FROM hub').get()
  return database
}

labSuite('a hub whose disk is full when it starts', { programs: ['mount', 'umount'], root: true }, () => {
  test.for([
    ['for the first time', false],
    ['again', true],
  ] as const)('%s says so in a sentence, ends with 1, and starts once there is room', async ([, hasRun]) => {
    const home = emptyHome()
    const disk = await mountSmallDisk(home.file('hub'))
    const start = () => startConnect(home, ['hub', '--listen', '127.0.0.1:0'])
    if (hasRun) {
      const before = start()
      await before.printed(/listening on/)
      await connectOk(home, ['hub', 'token', 'create'])
      await before.stop()
    }
    disk.fill()
    const refused = start()
    onTestFinished(() => refused.stop())
    expect(await refused.exited).toEqual({ code: 1, signal: null })
    expect(refused.output).toMatch(/^\[x\] Could not .+\n {2}Free some space, or fix .+\n$/)
    expect(refused.output).toMatch(/no space left|full/i)
    disk.free()
    const hub = start()
    onTestFinished(() => hub.stop())
    await hub.printed(/listening on/)
    if (hasRun) expect(await connectOk(home, ['hub', 'token', 'list'])).toMatch(/^jt_/m)
  })
})

labSuite(
  'a backup or a restore for which the disk is full',
  { programs: ['mount', 'umount'], root: true },
  () => {
    test('says so, leaves nothing and changes nothing, and goes once there is room', async () => {
      const home = emptyHome()
      const disk = await mountSmallDisk(home.file('hub'))
      const target = await mountSmallDisk(home.file('target'))
      await connectOk(home, ['hub', 'token', 'create'])
      const [full, file] = [home.file('target/backup.db'), home.file('backup.db')]
      target.fill()
      const before = readdirSync(home.file('target'))
      expect(await connect(home, ['hub', 'backup', full])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^\[x\] Could not write \S+target\/backup\.db: .+\n {2}Free some space/,
        ),
      })
      expect(readdirSync(home.file('target'))).toEqual(before)
      target.free()
      await connectOk(home, ['hub', 'backup', full])
      await connectOk(home, ['hub', 'backup', file])

      disk.fill()
      const restored = await connect(home, ['hub', 'restore', file])
      expect(restored).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^\[x\] Could not .+\n {2}Free some/),
      })
      disk.free()
      expect(await connectOk(home, ['hub', 'token', 'list'])).toMatch(/^jt_\w+ +valid/m)
      await connectOk(home, ['hub', 'restore', file])
      expect(await connectOk(home, ['hub', 'token', 'list'])).toMatch(/^jt_\w+ +revoked/m)
    })
  },
)

labSuite(
  'a backup of a hub whose disk is full, to another disk',
  { programs: ['mount', 'umount'], root: true },
  () => {
    /** A hub on a small disk, with a machine, and what has it backed up. */
    async function hubOnSmallDisk() {
      const home = emptyHome()
      const disk = await mountSmallDisk(home.file('hub'))
      const start = async () => {
        const hub = startConnect(home, ['hub', '--listen', '127.0.0.1:0'])
        onTestFinished(() => hub.stop())
        const [, url] = (await hub.printed(/listening on (http:\S+)/)) as unknown as [string, string]
        return { hub, url }
      }
      const { hub, url } = await start()
      const env = { PRIVATECONNECT_TOKEN: (await connectOk(home, ['hub', 'token', 'create'])).trim() }
      await connectOk(emptyHome(), ['login', '--hub', url], { env })
      return { home, disk, hub }
    }

    /** All that a backup is to have: a hub begins on it that knows the machine. */
    async function expectBackup(home: Home, name = 'backup.db', tokens = 0) {
      const file = home.file(name)
      const { code, stdout, stderr } = await connect(home, ['hub', 'backup', file])
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringMatching(/^\[!\] connect doctor will not know of this backup\. .+\n$/) as string,
      })
      expect(stdout).toMatch(
        /^\[ok\] Backed up the hub to .*\n {2}1 machine, 0 names, (\d) valid join tokens?\n/,
      )
      expect(stdout).toContain(`names, ${tokens} valid`)
      expect(readdirSync(home.folder).filter((name) => name.includes('.tmp'))).toEqual([])
      const other = emptyHome()
      await connectOk(other, ['hub', 'restore', file])
      expect(await connectOk(other, ['hub', 'agent', 'list', '--json'])).toContain('"revoked": false')
    }

    const filesOf = (home: Home) =>
      readdirSync(home.file('hub')).map((name) => `${name} ${statSync(home.file(`hub/${name}`)).size}`)

    test.for([
      ['to the last file', false],
      ['to the last byte', true],
    ] as const)('has all that was saved: a hub that has ended, %s', async ([, isFilesLeft]) => {
      const { home, disk, hub } = await hubOnSmallDisk()
      await hub.stop()
      disk.fill()
      if (isFilesLeft) rmSync(home.file('hub/filling/0'))
      if (isFilesLeft) rmSync(home.file('hub/filling/1'))
      const before = filesOf(home)
      await expectBackup(home)
      // SQLite leaves an empty journal where it can't open a database: a hub at rest would wake up by it.
      expect(filesOf(home)).toEqual(before)
    })

    test('has all that was saved: a hub that was killed', async () => {
      const { home, disk, hub } = await hubOnSmallDisk()
      await hub.stop('SIGKILL')
      expect(statSync(home.file('hub/hub.db-wal')).size).toBeGreaterThan(0)
      rmSync(home.file('hub/hub.db-shm'))
      disk.fill()
      await expectBackup(home)
    })

    test('has all that was saved: a hub that runs, at work and at rest', async () => {
      const { home, disk } = await hubOnSmallDisk()
      const journal = home.file('hub/hub.db-wal')
      await connectOk(home, ['hub', 'token', 'create'])
      expect(existsSync(journal)).toBe(true)
      disk.fill()
      await expectBackup(home, 'at-work.db', 1)
      await expect.poll(() => existsSync(journal), POLL).toBe(false)
      // Its journal has left room.
      disk.free()
      disk.fill()
      const before = filesOf(home)
      await expectBackup(home, 'at-rest.db', 1)
      expect(filesOf(home)).toEqual(before)
      // It wakes up, and can’t open its database either.
      rmSync(home.file('hub/filling/0'))
      rmSync(home.file('hub/filling/1'))
      expect(await connect(home, ['hub', 'token', 'create'])).toMatchObject({ code: 1 })
      await expectBackup(home, 'awake.db', 1)
    })

    test('has all that was saved: on a disk that can only be read', async () => {
      const { home, disk, hub } = await hubOnSmallDisk()
      await hub.stop()
      await disk.readOnly(true)
      await expectBackup(home)
    })

    test('says so in a sentence where it is damaged', async () => {
      const { home, disk, hub } = await hubOnSmallDisk()
      await hub.stop()
      writeFileSync(home.file('hub/hub.db'), 'no database '.repeat(500))
      disk.fill()
      expect(await connect(home, ['hub', 'backup', home.file('backup.db')])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          '[x] Could not open ~/.privateconnect/hub/hub.db: file is not a database\n',
        ) as string,
      })
      expect(existsSync(home.file('backup.db'))).toBe(false)
    })
  },
)

labSuite('a revocation while the disk is full', { programs: ['mount', 'umount'], root: true }, () => {
  test.for([
    ['has no room either', true],
    ['has room left in its files', false],
  ] as const)('says truly whether a restart finds it, where the database %s', async ([, isJournalHeld]) => {
    const home = emptyHome()
    const disk = await mountSmallDisk(home.file('hub'))
    let hub = startConnect(home, ['hub', '--listen', '127.0.0.1:0'])
    onTestFinished(() => hub.stop())
    const [, url] = (await hub.printed(/listening on (http:\S+)/)) as unknown as [string, string]
    const machine = emptyHome()
    const env = { PRIVATECONNECT_TOKEN: (await connectOk(home, ['hub', 'token', 'create'])).trim() }
    await connectOk(machine, ['login', '--hub', url], { env })
    const { agentId } = JSON.parse(await connectOk(machine, ['whoami', '--json'])) as { agentId: string }

    const database = home.file('hub/hub.db')
    const before = statSync(database).mtimeMs
    if (isJournalHeld)
      onTestFinished(
        (
          (reader) => () =>
            reader.close()
        )(holdJournal(database)),
      )
    await connectOk(home, ['hub', 'token', 'create'])
    disk.fill()
    if (isJournalHeld)
      await expect.poll(async () => (await connect(home, ['hub', 'token', 'create'])).code, POLL).toBe(1)
    // All of the journal is in the database now: SQLite begins it anew, in the room that it has.
    else await expect.poll(() => statSync(database).mtimeMs, POLL).not.toBe(before)
    const { code, stderr } = await connect(home, ['hub', 'agent', 'revoke', agentId])
    expect({ code, isSaved: stderr === '' }).toEqual({
      code: isJournalHeld ? 1 : 0,
      isSaved: !isJournalHeld,
    })
    await hub.stop('SIGKILL')
    disk.free()
    hub = startConnect(home, ['hub', '--listen', '127.0.0.1:0'])
    await hub.printed(/listening on/)
    const { agents } = JSON.parse(await connectOk(home, ['hub', 'agent', 'list', '--json'])) as {
      agents: { revoked: boolean }[]
    }
    expect(agents).toMatchObject([{ revoked: !isJournalHeld }])
  })
})

labSuite('a hub whose disk is full for a while', { programs: ['mount', 'umount'], root: true }, () => {
  test('carries what it carries, answers truly, and has saved all that it said once there is room', async () => {
    const hubHome = emptyHome()
    const disk = await mountSmallDisk(hubHome.file('hub'))
    let hub = startConnect(hubHome, ['hub', '--listen', `127.0.0.1:${await freePort()}`])
    const [, url] = (await hub.printed(/listening on (http:\S+)/)) as unknown as [string, string]
    const running: RunningCli[] = []
    onTestFinished(async () => {
      for (const one of running) await one.stop()
      await hub.stop()
    })
    const echo = await echoServer()
    onTestFinished(() => echo.close())
    const newToken = async () => (await connectOk(hubHome, ['hub', 'token', 'create'])).trim()
    const login = (home: Home, token: string) =>
      connect(home, ['login', '--hub', url], { env: { PRIVATECONNECT_TOKEN: token } })
    const machine = async (name: string) => {
      const home = emptyHome()
      const env = { PRIVATECONNECT_TOKEN: await newToken() }
      await connectOk(home, ['login', '--hub', url, '--label', name], { env })
      const { agentId } = JSON.parse(await connectOk(home, ['whoami', '--json'])) as { agentId: string }
      return { home, agentId }
    }
    const up = async ({ home }: { home: Home }) => {
      const cli = startConnect(home, ['up', '--foreground'])
      running.push(cli)
      await cli.printed(/Connected to hub/)
      return cli
    }
    const [server, client, outcast] = [
      await machine('server'),
      await machine('client'),
      await machine('outcast'),
    ]
    const serving = await up(server)
    const shutOut = await up(outcast)
    const port = String(echo.port)
    for (const name of ['steady', 'leaving']) await connectOk(server.home, ['expose', port, '--name', name])
    await connectOk(outcast.home, ['expose', port, '--name', 'contested'])
    const reach = startConnect(client.home, ['reach', 'steady', '--port', '0'])
    running.push(reach)
    const [, local] = await reach.printed(/is at \S+:(\d+)/)
    await reach.printed(/Connected to hub/)
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(Number(local))))
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
    const talk = async () => {
      for (const socket of sockets) {
        const echoed = new Promise((resolve) => socket.once('data', (data) => resolve(String(data))))
        socket.write('hello')
        expect(await echoed).toBe('hello')
      }
    }
    await talk()
    const reader = holdJournal(hubHome.file('hub/hub.db'))
    const spare = await newToken()

    disk.fill()
    await expect.poll(async () => (await connect(hubHome, ['hub', 'token', 'create'])).code, POLL).toBe(1)
    const ends = performance.now() + FULL_MS
    expect(await connect(hubHome, ['hub', 'agent', 'revoke', outcast.agentId])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^\[!\] Revoked .*in effect, but not saved yet.* its disk is full\n/),
    })
    expect(await shutOut.exited).toMatchObject({ code: 78 })
    expect(await connect(hubHome, ['hub', 'token', 'create'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^\[x\] The hub can’t save it: its disk is full\n/),
    })
    expect(await connect(server.home, ['unexpose', 'leaving'])).toMatchObject({ code: 0 })
    do {
      const exposed = await connect(server.home, ['expose', port, '--name', 'contested'])
      expect(exposed).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          '"contested" is not exposed: the hub can’t save it: its disk is full',
        ),
      })
      const newcomer = emptyHome()
      expect(await login(newcomer, spare)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('The hub can’t save it: its disk is full'),
      })
      const services = await connectOk(client.home, ['services'])
      expect(services).toContain('steady')
      expect(services).not.toMatch(/leaving|contested/)
      await talk()
    } while (performance.now() < ends)

    reader.close()
    disk.free()
    await hub.printed(/saves what changes again, and all is saved/)
    expect(await connect(hubHome, ['hub', 'agent', 'revoke', outcast.agentId])).toMatchObject({ code: 0 })
    expect(await connect(server.home, ['expose', port, '--name', 'contested'])).toMatchObject({ code: 0 })
    expect(await login(emptyHome(), spare)).toMatchObject({ code: 0 })
    await talk()
    expect(serving.stderr).not.toContain('[x]')

    // As a power cut would: what counts now is in the database.
    await hub.stop('SIGKILL')
    hub = startConnect(hubHome, ['hub', '--listen', new URL(url).host])
    await hub.printed(/listening on/)
    await serving.printed(/Reconnected to hub/)
    expect(await connectOk(hubHome, ['hub', 'agent', 'list'])).toMatch(
      new RegExp(`^${outcast.agentId} .* revoked$`, 'm'),
    )
    const services = await connectOk(client.home, ['services'])
    expect(services).toMatch(/steady/)
    expect(services).toMatch(/contested/)
    expect(services).not.toContain('leaving')
    await talk()
  }, 180_000)
})
