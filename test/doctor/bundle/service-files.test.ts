import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import { programWords } from '../../../src/doctor/bundle/program-words.ts'
import { Redactor } from '../../../src/doctor/bundle/redactor.ts'
import { serviceFiles } from '../../../src/doctor/bundle/service-files.ts'
import type { DoctorContext } from '../../../src/doctor/context.ts'
import type { DaemonContext } from '../../../src/tasks/daemon-context.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { root } from '../../helpers/cli.ts'

/** A platform that keeps its daemon by these files. */
function keptBy(...files: string[]): DoctorContext {
  const plan = async () => ({
    files: files.map((file) => ({ file, content: 'what it would be' })),
    commands: [],
  })
  const context = {
    platform: { plan },
    instance: instanceFor('/none/staging.json'),
  } as unknown as DaemonContext
  return { daemonContext: async () => context } as DoctorContext
}

test('a unit is in a bundle as it lies on the disk, without what is nobody’s business', async () => {
  const folder = scratchFolder()
  const unit = path.join(folder, 'private-connect.service')
  writeFileSync(
    unit,
    '[Service]\nExecStart="/home/jeanne/.nvm/bin/node" "up" "--hub" "https://hub.corp.test"\nEnvironment="API_KEY=s3cr3t-of-mine"\n',
  )
  const gone = path.join(folder, 'private-connect-jeanne.service')
  const redactor = new Redactor({ words: programWords(root), home: '/home/jeanne', secrets: [] })
  expect(await serviceFiles(keptBy(unit, gone), redactor)).toEqual([
    {
      name: 'private-connect.service',
      lines: ['[Service]', 'ExecStart="~/*1/bin/node" "up" "--hub" "https://*2"', 'Environment="*3=*4"', ''],
    },
    { name: '*5.service', lines: null },
  ])
})

test('a platform that doesn’t say by which files it keeps its daemon has none', async () => {
  const context = { platform: {}, instance: instanceFor('/none/staging.json') } as unknown as DaemonContext
  const redactor = new Redactor({ words: new Set(), home: '/home/jeanne', secrets: [] })
  const none = { daemonContext: async () => context } as DoctorContext
  expect(await serviceFiles(none, redactor)).toEqual([])
})
