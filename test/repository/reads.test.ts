import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../helpers/cli.ts'

/** What the kernel makes, what comes with the program, and what Node.js itself has read before us. */
const OTHERS = [
  'src/cli/output/sink.ts',
  'src/cli/print-version.ts',
  'src/doctor/bundle/program-words.ts',
  'src/doctor/checks/machine/descriptors.ts',
  'src/hub-client/tls/authorities.ts',
  'src/hub-client/tls/ciphers.ts',
  'src/library/installed.ts',
  'src/platforms/systemd/detect.ts',
  'src/process/foreground.ts',
  'src/process/identity.ts',
  'src/process/inherited-descriptors.ts',
  'src/process/is-in-foreground.ts',
  'src/process/is-stopped.ts',
  'src/process/port-holder.ts',
  'src/process/process-group.ts',
  'src/runtime/descriptor-limit.ts',
  'src/start.ts',
]

test('a file of a user is read by src/files, which waits for no FIFO', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !/^src\/(files|platforms\/conformance)\//.test(file),
  )
  const reading = files.filter((file) => readFileSync(path.join(root, file), 'utf8').includes('readFileSync'))
  expect(reading.toSorted()).toEqual(OTHERS)
})
