import { expect, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { writeProcessRecord } from '../../../src/control/process-record.ts'
import { hubStartStep } from '../../../src/tasks/machine/start-command.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

test.for([
  ['none has run', undefined, 'connect hub install', null],
  ['one was kept, which has its flags saved', 'daemon', 'connect hub start', null],
  [
    'one ran in a terminal, whose flags nobody has saved',
    'foreground',
    'connect hub install',
    'with the flags that connect hub had',
  ],
] as const)('where %s the next step says so', ([, mode, command, note]) => {
  const instance = hubInstance({ dataDir: scratchFolder() })
  if (mode) writeProcessRecord(instance, identityFor(instance, { mode }))
  expect(hubStartStep(instance)).toEqual({ command, note })
})
