import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { instanceFor, userFolder } from '../../src/config/instance.ts'
import { refuseControlSocket } from '../../src/control/control-socket.ts'
import { announce } from '../../src/control/presence/announce.ts'
import type { Presence } from '../../src/control/presence/presence.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const instance = instanceFor('/home/ada/configs/staging.json')

const refused = (file: string) => thrownBy(() => refuseControlSocket(file, instance)).code

describe('a control socket is refused:', () => {
  test('of this instance, though it is not there yet', () => {
    expect(refused(instance.socketPath)).toBe('BAD_TARGET')
  })

  test('of another instance, by what lies beside it, and by a link', () => {
    const folder = scratchFolder()
    writeFileSync(path.join(folder, 'other.agent.lock'), '')
    writeFileSync(path.join(folder, 'hub.db'), '')
    symlinkSync(folder, path.join(folder, 'link'))
    for (const file of ['other.agent.sock', 'hub.sock', 'link/hub.sock'])
      expect(refused(path.join(folder, file)), file).toBe('BAD_TARGET')
    expect(refused('/home/eve/.privateconnect/agent.sock')).toBe('BAD_TARGET')
    expect(refused(path.join(userFolder(), '0123.sock'))).toBe('BAD_TARGET')
  })

  test.for<(socketPath: string) => Presence>([
    (socketPath) => ({ kind: 'agent', hubId: 'hub_0', agentId: 'agent_0', socketPath, chains: false }),
    (socketPath) => ({ kind: 'hub', socketPath }),
  ])('of an agent or a hub that runs, whatever it is called, and by a hard link', (presenceAt) => {
    const socketPath = path.join(scratchFolder(), 'x.sock')
    const announcement = announce(presenceAt(socketPath), () => {})
    onTestFinished(() => announcement.withdraw())
    expect(refused(socketPath)).toBe('BAD_TARGET')
    writeFileSync(socketPath, '')
    const link = path.join(scratchFolder(), 'web.sock')
    linkSync(socketPath, link)
    expect(refused(link)).toBe('BAD_TARGET')
  })

  test('but no other program’s, if only it is called so', () => {
    const folder = scratchFolder()
    mkdirSync(path.join(folder, '.1password'))
    for (const file of ['.1password/agent.sock', 'hub.sock', 'S.gpg-agent', 'web.sock'])
      refuseControlSocket(path.join(folder, file), instance)
  })
})
