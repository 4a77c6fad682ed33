import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { engineRights } from '../../src/tasks/engine-socket.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test.for([
  '/run/docker.sock',
  '/home/ada/.docker/run/docker.sock',
  '/run/podman/podman.sock',
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/var/lib/incus/unix.socket',
  '/run/libvirt/libvirt-sock',
])('who reaches %s is root, there or not yet', (file) => {
  expect(engineRights(file)).toBe('root')
})

test.for([
  '/run/postgresql/.s.PGSQL.5432',
  '/run/app/unix.socket',
  '/run/docker.sock/x',
  '/run/mydocker.sock',
])('%s is none', (file) => {
  expect(engineRights(file)).toBeUndefined()
})

test('a link to one is one, and so is another name for it', () => {
  const folder = scratchFolder()
  mkdirSync(path.join(folder, 'podman'))
  const file = path.join(folder, 'podman', 'podman.sock')
  writeFileSync(file, '')
  const [soft, hard] = [path.join(folder, 'soft'), path.join(folder, 'hard')]
  symlinkSync(file, soft)
  linkSync(file, hard)
  const whose = process.getuid?.() === 0 ? 'root' : 'the user who runs it'
  expect(engineRights(soft)).toBe(whose)
  expect(engineRights(hard)).toBeUndefined()
  // Where the engine of this user has it.
  expect(engineRights(hard, { XDG_RUNTIME_DIR: folder })).toBe(whose)
})
