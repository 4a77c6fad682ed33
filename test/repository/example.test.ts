import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { writeConfig } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { hubInProcess, stranger } from '../fixtures/hub/hub-in-process.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { root } from '../helpers/cli.ts'

test('the command that CONTRIBUTING.md shows does what it says', async () => {
  const hub = await hubInProcess()
  const folder = scratchFolder()
  const configFile = path.join(folder, 'config.json')
  writeConfig(instanceFor(configFile), await stranger(hub))

  const [, example] = /^```ts\n([^]*?)^```/m.exec(readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8'))!
  const file = path.join(folder, 'ping.ts')
  const imports = `'${path.join(root, 'src')}/`
  const call = `await Ping.run(['--config', ${JSON.stringify(configFile)}], ${JSON.stringify(root)})`
  writeFileSync(file, `${example!.replaceAll("'../", imports)}\n${call}\n`)
  const program = runProgram([process.execPath, file])
  expect(await program.exited).toMatchObject({ code: 0 })
  expect(program.stdout).toBe(`[ok] ${hub.url} answers (version 0.1.0)\n`)
})
