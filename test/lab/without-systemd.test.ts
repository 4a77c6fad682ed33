import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { root } from '../helpers/cli.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { Container, CONTAINER_MAKE_MS, containerNeeds } from './helpers/container.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { runOk } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

interface Status {
  readonly status: string
  readonly pid: number | null
  readonly autostart: string
  readonly manager: { readonly name: string }
}

interface Examination {
  readonly checks: readonly { name: string; state: string; seen: string; fix?: string }[]
}

interface Documented {
  readonly supervisor: string
  readonly install: string[]
  readonly command: string[]
  readonly crontab: string
}

/** What the README of a plugin has one type, what it has a container run, and what one's crontab. */
function documented(plugin: string): Documented {
  const readme = readFileSync(path.join(root, 'plugins', plugin, 'README.md'), 'utf8')
  const [supervisor, install] = [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, lines]) =>
    lines!.trim(),
  )
  const [, command] = /^CMD (\[.*\])$/m.exec(readme)!
  const [crontab] = /^@reboot .*$/m.exec(readme)!
  return {
    supervisor: supervisor!,
    install: install!.split('\n'),
    command: JSON.parse(command!.replaceAll('/home/node/', '/home/dev/')) as string[],
    crontab,
  }
}

/** The plugin as it is published. */
async function packed(plugin: string, folder: string): Promise<string> {
  const args = ['pack', '--silent', '--pack-destination', folder, path.join(root, 'plugins', plugin)]
  return path.join(folder, (await runOk('npm', args)).trim())
}

labSuite('a container without systemd, by what the README of the plugin says', containerNeeds, () => {
  describe.each([
    { plugin: 'runit', services: '~/service', init: ['runsvdir', '-P'], asDev: 'chpst -u dev' },
    { plugin: 's6', services: '~/.s6/service', init: ['s6-svscan'], asDev: 's6-setuidgid dev' },
  ])('$plugin', ({ plugin, services, init, asDev }) => {
    const own = ownedBySuite()
    const { supervisor, install, command, crontab } = documented(plugin)
    let container: Container
    let world: World
    let port: number

    const status = async () => JSON.parse(await container.runOk('connect daemon status --json')) as Status
    const examined = async () => {
      const { checks } = JSON.parse((await container.run('connect doctor --json')).stdout) as Examination
      return checks.find(({ name }) => name === 'autostart')
    }
    const isReached = async () => {
      await container.runOk('connect daemon status --wait 60s', { timeoutMs: 90_000 })
      expect(await echoed(port, 'is anybody there?')).toBe('is anybody there?')
    }

    beforeAll(async () => {
      world = own(await World.start(), (it) => it.stop())
      const echo = own(await echoServer(), (it) => it.close())
      container = own(await Container.make(), (it) => it.remove())
      await container.start(['tail', '-f', '/dev/null'])
      const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
      await container.runOk(`connect login --hub ${world.hubUrl}`, { env })
      await container.runOk(`connect expose ${echo.port} --name echo`)
      const folder = own(mkdtempSync(path.join(tmpdir(), 'pc-packed-')), (it) =>
        rmSync(it, { recursive: true }),
      )
      await container.copy(await packed(plugin, folder))
    }, CONTAINER_MAKE_MS)

    test('where no supervisor runs, an installation says so, with the line that starts one', async () => {
      const [plugins, daemon] = install as [string, string]
      await container.runOk(plugins, { timeoutMs: 180_000 })
      const { code, stderr } = await container.run(daemon)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`Run: ${supervisor}\n`) as string,
      })
      const named = await container.run(`CONNECT_PLATFORM=${plugin} ${daemon}`)
      expect(named.stderr).toContain(`\n  Run: ${supervisor}\n`)
      expect(await container.run(`ls ${services}`)).toMatchObject({ code: 2 })
    })

    test('the daemon is installed, serves, and is back after kill -9', async () => {
      await container.runOk(`{ ${supervisor}\n} </dev/null >/dev/null 2>&1`)
      const { stdout, stderr } = await container.run(install[1]!)
      expect(stdout).toContain(
        '[ok] Daemon installed and started\n  The agent will now start whenever its service manager does, which may not be on boot.\n',
      )
      expect(stderr.replaceAll(/\s+/g, ' ')).toContain(`add this by crontab -e: ${crontab}`)
      const installed = await status()
      expect(installed).toMatchObject({ status: 'running', autostart: 'manager', manager: { name: plugin } })
      expect(await container.runOk('connect daemon status')).toContain(
        'Autostart: whenever its service manager starts, which may not be on boot\n',
      )
      expect(await examined()).toMatchObject({
        state: 'warning',
        fix: expect.stringContaining(`add this by crontab -e: ${crontab}`) as string,
      })
      await container.runOk('connect daemon status --wait 60s', { timeoutMs: 90_000 })
      port = (await world.reach(await world.machine('client'), 'echo')).port
      await isReached()
      await container.runOk(`kill -9 ${installed.pid}`)
      await expect.poll(status, { timeout: 60_000 }).toMatchObject({
        status: 'running',
        pid: expect.not.toSatisfy((pid) => pid === null || pid === installed.pid) as number,
      })
      await isReached()
      expect(await container.runOk(install[1]!)).toContain('[ok] Daemon already installed and running\n')
    })

    test('it starts with the container, and not once it was stopped', async () => {
      await container.stop('SIGKILL')
      await container.start(command)
      await isReached()
      expect(await status()).toMatchObject({ autostart: 'boot' })
      expect(await examined()).toMatchObject({ state: 'ok', seen: 'On boot' })
      expect(await container.runOk('connect daemon stop')).toContain('[ok] Daemon stopped')
      await container.stop('SIGTERM')
      await container.start(command)
      const held = await status()
      expect(held).toMatchObject({ status: 'stopped', autostart: 'never', manager: { name: plugin } })
      await container.runOk('connect daemon start')
      await isReached()
    })

    test('it starts on boot by the line for one’s crontab', async () => {
      await container.runOk(`echo '${crontab}' | crontab -`)
      await container.stop('SIGKILL')
      await container.start(['/usr/sbin/cron', '-f'], { as: 'root' })
      await isReached()
      expect(await status()).toMatchObject({ autostart: 'boot' })
      expect(await examined()).toMatchObject({ state: 'ok', seen: 'On boot' })
      await container.runOk('crontab -r')
    })

    test('it starts on boot where the supervisor of the system starts that of the user', async () => {
      const run = `#!/bin/sh\nexec env HOME=/home/dev ${asDev} ${command.join(' ')}\n`
      await container.runOk(
        'mkdir -p /etc/services/dev && cat >/etc/services/dev/run && chmod +x /etc/services/dev/run',
        {
          as: 'root',
          input: run,
        },
      )
      await container.stop('SIGKILL')
      await container.start([...init, '/etc/services'], { as: 'root' })
      await isReached()
      expect(await status()).toMatchObject({ autostart: 'boot' })
    })

    test('without its supervisor it can’t be started, and is told why', async () => {
      await container.stop('SIGTERM')
      await container.start(['tail', '-f', '/dev/null'])
      const stopped = await container.runOk('connect daemon status')
      expect(stopped).toContain(`○ Status: stopped\n`)
      expect(stopped).toContain(`Run: ${supervisor}\n`)
      const { code, stderr } = await container.run('connect daemon start')
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`Run: ${supervisor}\n`) as string,
      })
    })

    test('it is removed while no supervisor runs, and nothing is left', async () => {
      expect(await container.runOk('connect daemon uninstall')).toContain('[ok] Daemon uninstalled\n')
      expect(await container.runOk(`ls -A ${services} | grep -v .s6-svscan || true`)).toBe('')
      expect(await container.runOk(`connect plugins uninstall private-connect-${plugin}`)).toBeDefined()
      expect(await container.runOk('connect plugins')).not.toContain('private-connect-')
    })
  })
})
